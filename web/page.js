// What every part of the pages uses.

const kSavedMs = 1_000; // by then the browser has begun to read what is saved

export function byId(id) {
  return document.getElementById(id);
}

// An element with these properties, as the DOM names them, and these children: elements or words.
export function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Puts the focus back where it was when `change()` replaces what is in the list: on the button of
// the part with the same data-key, or on `otherwise` when that part is gone.
export function keepFocus(list, otherwise, change) {
  const part = document.activeElement?.closest("[data-key]");
  const inside = part && list.contains(part);
  const index = inside ? [...part.querySelectorAll("button")].indexOf(document.activeElement) : -1;
  change();
  if (!inside) return;
  const same = list.querySelector(`[data-key="${CSS.escape(part.dataset.key)}"]`);
  (same?.querySelectorAll("button")[index] ?? otherwise).focus();
}

// A button beside which there is something more important.
export function button(words, click) {
  return make("button", { type: "button", className: "quiet", textContent: words, onclick: click });
}

// Lets the browser save this as a file: a link could not bring the token along.
export function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), kSavedMs);
}
