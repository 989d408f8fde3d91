// The code editor: CodeMirror in a shadow root, where its style sheets are adopted and no inline style is needed. It
// requests completions and hints from the compiler, and shows marks: problems, and the lines of tasks.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { python } from '@codemirror/lang-python'
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { EditorState, Prec, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers, type Tooltip } from '@codemirror/view'
import { NAMES, type Language } from '../language.ts'
import { breakpoints } from './breakpoints.ts'
import type { Completion, Hover } from './compiler.ts'
import { colours, theme } from './editor-theme.ts'
import { setStands, stands, type Stand } from './stands.ts'

export type { Stand } from './stands.ts'

export interface Problem {
  from: number
  to: number
  severity: 'error' | 'warning' | 'info'
  message: string
}

export interface EditorOptions {
  code: string
  language: Language
  onChange: (code: string) => void
  onRun: () => void
  /** The lines with a breakpoint have changed. */
  onBreakpoints: (lines: number[]) => void
  completions: (code: string, position: number) => Promise<Completion[]>
  hover: (code: string, position: number) => Promise<Hover | null>
}

const KINDS: Record<string, string> = {
  function: 'function', method: 'method', property: 'property', const: 'constant', let: 'variable', var: 'variable', class: 'class',
  interface: 'interface', type: 'type', keyword: 'keyword', parameter: 'variable', alias: 'variable', 'local function': 'function', module: 'namespace',
}

/** What only TypeScript has: a compiler that knows its types, and calls between its lines. */
const MORE: Record<Language, string> = { typescript: ' F9 puts a breakpoint in the line;', python: '' }

export class Editor {
  readonly #view: EditorView
  readonly #options: EditorOptions
  #language: Language

  constructor(host: HTMLElement, options: EditorOptions) {
    this.#options = options
    this.#language = options.language
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
    this.#view = new EditorView({ root, parent: root as unknown as Element, state: this.#state(options.code) })
  }

  get code(): string {
    return this.#view.state.doc.toString()
  }

  /** Replaces the program, without undo. */
  open(code: string, language: Language): void {
    if (code === this.code && language === this.#language) return
    this.#language = language
    this.#view.setState(this.#state(code))
    this.#options.onBreakpoints([])
    this.#options.onChange(code)
  }

  focus(): void {
    this.#view.focus()
  }

  /** Shows these problems and removes the previous ones. Positions beyond the end are moved to it. */
  show(problems: readonly Problem[]): void {
    const { length } = this.#view.state.doc
    this.#view.dispatch(setDiagnostics(this.#view.state, problems.map(({ from, to, severity, message }) => ({
      from: Math.min(from, length), to: Math.min(Math.max(from, to), length), severity, message,
    }))))
  }

  /** Marks the lines of tasks. */
  stand(at: readonly Stand[]): void {
    const { lines } = this.#view.state.doc
    const shown = at.filter(({ line }) => line >= 1 && line <= lines)
    const next = shown.find((stand) => stand.next)
    this.#view.dispatch({ effects: [
      setStands.of(shown),
      ...next === undefined ? [] : [EditorView.scrollIntoView(this.line(next.line).from, { y: 'nearest', yMargin: 40 })],
    ] })
  }

  /** The range of a line's text, without its indentation; lines count from 1. */
  line(line: number): { from: number; to: number } {
    const { doc } = this.#view.state
    const { from, to, text } = doc.line(Math.max(1, Math.min(doc.lines, line)))
    return { from: Math.min(to, from + text.length - text.trimStart().length), to }
  }

  /** Moves the cursor to a line. */
  goTo(line: number): void {
    const { from } = this.line(line)
    this.#view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) })
    this.focus()
  }

  destroy(): void {
    this.#view.destroy()
  }

  #state(code: string): EditorState {
    const { onChange, onRun } = this.#options
    const label = `Program in ${NAMES[this.#language]}. Control and Enter runs it;${MORE[this.#language]} Tab leaves the editor.`
    return EditorState.create({
      doc: code,
      extensions: [
        this.#language === 'python' ? this.#python() : this.#typescript(),
        // In both languages: after a change of the state, a completion that was about to come still looks for its part of it.
        autocompletion({ override: [(context) => this.#complete(context)] }), hoverTooltip((_view, position) => this.#hint(position)),
        history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(),
        EditorView.lineWrapping, syntaxHighlighting(colours), theme, lintGutter(), stands,
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => (onRun(), true) }])),
        // Tab stays with the page, so that keyboard users can leave the editor.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ 'aria-label': label, 'tabindex': '0', spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' }),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) onChange(state.doc.toString())
        }),
      ],
    })
  }

  #typescript(): Extension {
    return [breakpoints(this.#options.onBreakpoints), javascript({ typescript: true }), indentUnit.of('  '), EditorState.tabSize.of(2)]
  }

  #python(): Extension {
    return [lineNumbers(), python(), indentUnit.of('    '), EditorState.tabSize.of(4)]
  }

  async #complete(context: CompletionContext): Promise<CompletionResult | null> {
    if (this.#language !== 'typescript') return null
    const word = context.matchBefore(/[\w$]*/)
    const before = context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos)
    if (!context.explicit && (word === null || word.from === word.to) && before !== '.') return null
    try {
      const found = await this.#options.completions(context.state.doc.toString(), context.pos)
      return {
        from: word?.from ?? context.pos, validFor: /^[\w$]*$/,
        options: found.map(({ label, kind, rank }) => ({ label, type: KINDS[kind] ?? 'variable', sortText: `${rank}${label}` })),
      }
    } catch {
      return null
    }
  }

  async #hint(position: number): Promise<Tooltip | null> {
    if (this.#language !== 'typescript') return null
    const found = await this.#options.hover(this.code, position).catch(() => null)
    if (found === null || found.signature === '') return null
    return {
      pos: found.from, end: found.to, above: true,
      create: () => {
        const dom = document.createElement('div')
        dom.className = 'cm-hint'
        for (const [part, text] of [['signature', found.signature], ['documentation', found.documentation]] as const) {
          if (text === '') continue
          const element = document.createElement(part === 'signature' ? 'code' : 'p')
          element.textContent = text
          dom.append(element)
        }
        return { dom }
      },
    }
  }
}
