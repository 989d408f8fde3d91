// Marks in the editor: the line at which each task is, blocks the loop, or is stopped.
import { StateEffect, StateField, type Range } from '@codemirror/state'
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view'

export interface Stand {
  line: number
  /** The task, and what it does there. */
  text: string
  /** Whether it blocks the loop there. */
  holds: boolean
  /** Whether the program is stopped before this line. */
  next?: boolean
}

export const setStands = StateEffect.define<readonly Stand[]>()

class Label extends WidgetType {
  readonly #text: string

  constructor(text: string) {
    super()
    this.#text = text
  }

  override eq(other: Label): boolean {
    return other.#text === this.#text
  }

  override toDOM(): HTMLElement {
    const element = document.createElement('span')
    element.className = 'cm-who'
    element.textContent = this.#text
    return element
  }
}

export const stands = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(value, transaction) {
    for (const effect of transaction.effects) if (effect.is(setStands)) return decorate(effect.value, transaction.state.doc)
    return transaction.docChanged ? Decoration.none : value
  },
  provide: (field) => EditorView.decorations.from(field),
})

function decorate(list: readonly Stand[], doc: { line(number: number): { from: number; to: number } }): DecorationSet {
  const ranges: Range<Decoration>[] = []
  for (const [number, here] of byLine(list)) {
    const { from, to } = doc.line(number)
    const mark = here.some(({ next }) => next) ? 'cm-next' : here.some(({ holds }) => holds) ? 'cm-holds' : 'cm-stand'
    ranges.push(Decoration.line({ class: mark }).range(from))
    ranges.push(Decoration.widget({ widget: new Label(here.map(({ text }) => text).join(' · ')), side: 1 }).range(to))
  }
  return Decoration.set(ranges, true)
}

function byLine(list: readonly Stand[]): Map<number, Stand[]> {
  const lines = new Map<number, Stand[]>()
  for (const stand of list) {
    const here = lines.get(stand.line)
    if (here === undefined) lines.set(stand.line, [stand])
    else here.push(stand)
  }
  return lines
}
