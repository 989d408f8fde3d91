// The look of the editor: the page's colours as custom properties, so that the editor changes between dark and light with
// the page.
import { HighlightStyle } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

export const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword, tags.operatorKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--ink-soft)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.className], color: 'var(--code-type)' },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.function(tags.propertyName)], color: 'var(--code-function)' },
])

const popup = { background: 'var(--raised)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: '6px' }

export const theme = EditorView.theme({
  '&': { color: 'var(--ink)', background: 'transparent', height: '100%', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--focus)', outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--ink)', paddingBlock: '8px' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { background: 'transparent', color: 'var(--ink-soft)', border: 'none' },
  '.cm-activeLine': { background: 'color-mix(in srgb, var(--ink) 5%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { background: 'color-mix(in srgb, var(--accent) 30%, transparent)' },
  '.cm-tooltip': popup,
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--accent)', color: 'var(--on-accent, var(--ground))' },
  '.cm-hint': { padding: '6px 8px', maxWidth: '34rem', whiteSpace: 'pre-wrap' },
  '.cm-hint p': { margin: '4px 0 0', color: 'var(--ink-soft)', fontFamily: 'var(--font)' },
  '.cm-diagnostic': { fontFamily: 'var(--font)' },
  '.cm-stand': { background: 'color-mix(in srgb, var(--running) 16%, transparent)', boxShadow: 'inset 3px 0 0 var(--running)' },
  '.cm-holds': { background: 'color-mix(in srgb, var(--red) 20%, transparent)', boxShadow: 'inset 3px 0 0 var(--red)' },
  '.cm-next': { background: 'color-mix(in srgb, var(--focus) 26%, transparent)', boxShadow: 'inset 3px 0 0 var(--focus)' },
  '.cm-next .cm-who': { color: 'var(--ink)', borderColor: 'var(--focus)' },
  '.cm-lineNumbers .cm-breakpoint': { background: 'var(--red)', color: 'var(--ground)', fontWeight: '600' },
  '.cm-who': {
    marginLeft: '1.5em', padding: '0 6px', borderRadius: '8px', fontSize: '12px', fontFamily: 'var(--font)', color: 'var(--ink-soft)',
    border: '1px solid var(--line)', background: 'var(--raised)', whiteSpace: 'nowrap',
  },
  '.cm-holds .cm-who': { color: 'var(--ink)', borderColor: 'var(--red)' },
})
