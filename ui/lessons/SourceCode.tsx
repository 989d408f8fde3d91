// A source as a list of lines, with the tasks at each line.
import { useEffect, useRef } from 'preact/hooks'
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
  const list = useRef<HTMLOListElement>(null)
  const first = (marks.find(({ holds }) => holds) ?? marks[0])?.line ?? null
  useEffect(() => {
    const line = first === null ? null : list.current?.children[first - 1]
    if (line instanceof HTMLElement && list.current !== null) reveal(list.current, line)
  }, [first])
  return (
    <ol class="source" aria-label={label} ref={list} tabIndex={0}>
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

/** Scrolls the list, and nothing around it, so that a line of it is visible. */
function reveal(list: HTMLElement, line: HTMLElement): void {
  const box = list.getBoundingClientRect()
  const at = line.getBoundingClientRect()
  if (at.bottom > box.bottom) list.scrollTop += at.bottom - box.bottom + at.height
  else if (at.top < box.top) list.scrollTop -= box.top - at.top + at.height
}
