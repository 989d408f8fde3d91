// A source as a list of lines, with the tasks that stand at each.
import { pieces } from './source.ts'

export interface LineMark {
  line: number
  text: string
  holds: boolean
}

export interface SourceCodeProps {
  label: string
  source: string
  marks: readonly LineMark[]
}

export function SourceCode({ label, source, marks }: SourceCodeProps) {
  return (
    <ol class="source" aria-label={label}>
      {source.trimEnd().split('\n').map((text, at) => {
        const here = marks.filter(({ line }) => line === at + 1)
        const mark = here.length === 0 ? '' : here.some(({ holds }) => holds) ? 'holds' : 'stands'
        return (
          <li key={at} class={mark}>
            <span class="source-number" aria-hidden="true">{at + 1}</span>
            <code>{pieces(text).map(({ kind, text: piece }, index) => kind === 'plain' ? piece : <span key={index} class={`code-${kind}`}>{piece}</span>)}</code>
            {here.length > 0 && <span class="source-who">{here.map(({ text: who }) => who).join(' · ')}</span>}
          </li>
        )
      })}
    </ol>
  )
}
