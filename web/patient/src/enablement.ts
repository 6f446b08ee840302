// Skip logic: whether an item is to be answered, given what was answered. A port of
// src/epro/enablement.cc, which has the rules: a condition is about the nearest item with its
// linkId, among those that share the innermost common ancestor the last before the item itself,
// else the first behind it. Pure; lives no longer than the tree it was made from.
import type { EnableWhen, Item, Value } from './fhir';
import { compare, sameValue, valueOfCondition } from './value';

// A node of what was answered: the root, an occurrence of a group, a question, or the place below
// one of its answers. An empty occurrence is a node, because it can hold what is enabled, but no
// condition is about it: in the response it is not there.
export interface Place {
  path: string;
  linkId?: string; // of a group's occurrence or a question
  values: Value[];
  places: Place[];
}

export function hasAnswer(place: Place): boolean {
  return place.values.length > 0 || place.places.some(hasAnswer);
}

function fits(value: Value, condition: EnableWhen): boolean {
  const other = valueOfCondition(condition);
  const order = compare(value, other);
  switch (condition.operator) {
    case '=': return sameValue(value, other);
    case '!=': return !sameValue(value, other);
    case '>': return order !== undefined && order > 0;
    case '<': return order !== undefined && order < 0;
    case '>=': return order !== undefined && order >= 0;
    case '<=': return order !== undefined && order <= 0;
    default: return false;
  }
}

interface Node {
  place: Place;
  parent: number;
  end: number; // behind all that it holds
}

export class Enablement {
  private readonly nodes: Node[] = [];
  private readonly indexes = new Map<string, number>();
  private readonly byLinkId = new Map<string, number[]>();

  constructor(root: Place) {
    this.add(root, 0);
  }

  // Whether the item is enabled where `container` (a place's path) holds it; `occurrence` is the
  // path of its first occurrence that is answered.
  enabled(item: Item, container: string, occurrence: string | undefined): boolean {
    const conditions = item.enableWhen ?? [];
    if (conditions.length === 0) return true;
    const inside = this.indexes.get(container);
    if (inside === undefined) return false;
    const found = occurrence === undefined ? undefined : this.indexes.get(occurrence);
    const at = found ?? this.nodes[inside]!.end;
    const holds = (one: EnableWhen) => this.holds(one, inside, at);
    return item.enableBehavior === 'any' ? conditions.some(holds) : conditions.every(holds);
  }

  private add(place: Place, parent: number): void {
    const index = this.nodes.length;
    const node = { place, parent, end: 0 };
    this.nodes.push(node);
    this.indexes.set(place.path, index);
    if (place.linkId !== undefined && hasAnswer(place)) {
      const known = this.byLinkId.get(place.linkId);
      if (known) known.push(index);
      else this.byLinkId.set(place.linkId, [index]);
    }
    for (const below of place.places) this.add(below, index);
    node.end = this.nodes.length;
  }

  private holds(condition: EnableWhen, container: number, at: number): boolean {
    const question = this.nearest(condition.question, container, at);
    if (condition.operator === 'exists') {
      return (question !== undefined) === (condition.answerBoolean ?? true);
    }
    return question?.values.some((value) => fits(value, condition)) ?? false;
  }

  private nearest(linkId: string, container: number, at: number): Place | undefined {
    const candidates = this.byLinkId.get(linkId); // ascending
    if (!candidates) return undefined;
    for (let around = container; ; around = this.nodes[around]!.parent) {
      const { end } = this.nodes[around]!;
      const shared = candidates.filter((index) => index >= around && index < end);
      if (shared.length > 0) {
        const before = shared.filter((index) => index < at);
        return this.nodes[before[before.length - 1] ?? shared[0]!]!.place;
      }
      if (around === 0) return undefined;
    }
  }
}
