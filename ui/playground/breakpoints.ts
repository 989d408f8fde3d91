// Breakpoints in the editor: a click on a line's number, or F9 in the line, puts one there or removes it. They move with the text.
import { RangeSet, StateEffect, StateField, type EditorState, type Extension } from '@codemirror/state'
import { EditorView, gutterLineClass, GutterMarker, keymap, lineNumbers } from '@codemirror/view'

const toggle = StateEffect.define<number>()

class Mark extends GutterMarker {
  override elementClass = 'cm-breakpoint'
}

const mark = new Mark()

const marks = StateField.define<RangeSet<GutterMarker>>({
  create: () => RangeSet.empty,
  update(value, transaction) {
    let set = value.map(transaction.changes)
    for (const effect of transaction.effects) if (effect.is(toggle)) set = toggled(set, effect.value)
    return set
  },
  provide: (field) => gutterLineClass.from(field),
})

function toggled(set: RangeSet<GutterMarker>, at: number): RangeSet<GutterMarker> {
  let found = false
  set.between(at, at, () => { found = true })
  return found ? set.update({ filter: (from) => from !== at }) : set.update({ add: [mark.range(at)] })
}

/** The lines with a breakpoint, from 1, in order. */
function linesOf(state: EditorState): number[] {
  const lines = new Set<number>()
  for (const cursor = state.field(marks).iter(); cursor.value !== null; cursor.next()) lines.add(state.doc.lineAt(cursor.from).number)
  return [...lines]
}

/** The line numbers, with breakpoints. `onChange` gets their lines, from 1. */
export function breakpoints(onChange: (lines: number[]) => void): Extension {
  const change = (view: EditorView, at: number): true => {
    view.dispatch({ effects: toggle.of(view.state.doc.lineAt(at).from) })
    return true
  }
  return [
    marks,
    EditorView.theme({ '.cm-lineNumbers .cm-gutterElement': { cursor: 'pointer' } }),
    lineNumbers({ domEventHandlers: { mousedown: (view, line) => change(view, line.from) } }),
    keymap.of([{ key: 'F9', run: (view) => change(view, view.state.selection.main.head) }]),
    EditorView.updateListener.of(({ startState, state }) => {
      if (startState.field(marks) !== state.field(marks)) onChange(linesOf(state))
    }),
  ]
}
