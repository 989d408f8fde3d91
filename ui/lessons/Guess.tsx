// A list that the reader puts in order: with the buttons of each line, or with the arrow keys while a line has the focus.
import { useRef, useState } from 'preact/hooks'
import { moved } from './predict.ts'

export interface GuessProps {
  lines: readonly string[]
  onChange: (lines: string[]) => void
}

export function Guess({ lines, onChange }: GuessProps) {
  const list = useRef<HTMLOListElement>(null)
  const [said, say] = useState('')
  const move = (at: number, by: number, focus: string): void => {
    const to = Math.max(0, Math.min(lines.length - 1, at + by))
    if (to === at) return
    onChange(moved(lines, at, by))
    say(`${lines[at] ?? ''}: now ${to + 1} of ${lines.length}`)
    // The focus moves with the line at once, because the next key may come before the next frame. The elements stay; only
    // their texts move.
    list.current?.children[to]?.querySelector<HTMLElement>(focus)?.focus()
  }
  const key = (event: KeyboardEvent, at: number): void => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
    if (by === 0) return
    event.preventDefault()
    event.stopPropagation()
    move(at, by, '.guess-line')
  }
  return (
    <>
      <p class="soft" id="guess-how">Move a line with ▲ and ▼, or with the arrow keys while it has the focus.</p>
      <ol class="guess" ref={list} aria-label="Your order">
        {lines.map((text, at) => (
          <li key={at}>
            <span class="guess-line mono" tabIndex={0} role="group" aria-describedby="guess-how" aria-label={`${at + 1} of ${lines.length}: ${text}`} onKeyDown={(event) => key(event, at)}>{text}</span>
            <button type="button" class="icon-button up" aria-label={`Move “${text}” up`} disabled={at === 0} onClick={() => move(at, -1, '.up')}>▲</button>
            <button type="button" class="icon-button down" aria-label={`Move “${text}” down`} disabled={at === lines.length - 1} onClick={() => move(at, 1, '.down')}>▼</button>
          </li>
        ))}
      </ol>
      <p class="hidden" role="status">{said}</p>
    </>
  )
}
