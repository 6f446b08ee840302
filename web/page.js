// What every part of the page uses.

export function byId(id) {
  return document.getElementById(id);
}
