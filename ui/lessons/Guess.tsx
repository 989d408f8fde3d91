// A list that the reader puts in order, each line with a moment if that is asked for: with the buttons of each line, or by
// keyboard while a line has the focus.
import { useRef, useState } from 'preact/hooks'
import { moved, type Guessed } from './predict.ts'

/** Past every lesson's end. */
const LAST_SECOND = 99

export interface GuessProps {
  lines: readonly Guessed[]
  /** Whether to ask for the second of each line. */
  when: boolean
  onChange: (lines: Guessed[]) => void
}

export function Guess({ lines, when, onChange }: GuessProps) {
  const list = useRef<HTMLOListElement>(null)
  const [said, say] = useState('')
  const textAt = (at: number): string => lines[at]?.text ?? ''
  const move = (at: number, by: number, focus: string): void => {
    const to = Math.max(0, Math.min(lines.length - 1, at + by))
    if (to === at) return
    onChange(moved(lines, at, by))
    say(`${textAt(at)}: now ${to + 1} of ${lines.length}`)
    // The focus moves with the line at once, because the next key may come before the next frame. The elements stay; only
    // their texts move.
    list.current?.children[to]?.querySelector<HTMLElement>(focus)?.focus()
  }
  const setSecond = (at: number, second: number | null): void => {
    onChange(lines.map((line, index) => index === at ? { ...line, second } : line))
    say(second === null ? `${textAt(at)}: no time` : `${textAt(at)}: at ${second} s`)
  }
  const key = (event: KeyboardEvent, at: number): void => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0
    const seconds = !when ? 0 : event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0
    const digit = when && /^\d$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey
    if (by === 0 && seconds === 0 && !digit) return
    event.preventDefault()
    event.stopPropagation()
    if (by !== 0) move(at, by, '.guess-line')
    else if (digit) setSecond(at, Number(event.key))
    else setSecond(at, later(lines[at]?.second ?? null, seconds))
  }
  return (
    <>
      <p class="soft" id="guess-how">
        Move a line with ▲ and ▼, or with the up and down arrow keys while it has the focus.
        {when && ' Set its second with − and +, with the left and right arrow keys, or type it.'}
      </p>
      <ol class="guess" ref={list} aria-label={when ? 'Your order, and the second of each line' : 'Your order'}>
        {lines.map(({ text, second }, at) => (
          <li key={at}>
            {when && (
              <span class="guess-when" role="group" aria-label={`When line ${at + 1}, “${text}”, is printed`}>
                <button type="button" class="icon-button" aria-label="One second earlier" disabled={second === 0} onClick={() => setSecond(at, later(second, -1))}>−</button>
                <input
                  type="text" inputMode="numeric" size={2} maxLength={2} class="mono" placeholder="?" aria-label={`The second of line ${at + 1}, “${text}”`}
                  value={second === null ? '' : String(second)} onInput={({ currentTarget }) => {
                    const given = /^\d{1,2}$/.test(currentTarget.value) ? Number(currentTarget.value) : null
                    if (given === null) currentTarget.value = ''
                    setSecond(at, given)
                  }}
                />
                <span class="soft" aria-hidden="true">s</span>
                <button type="button" class="icon-button" aria-label="One second later" disabled={second === LAST_SECOND} onClick={() => setSecond(at, later(second, 1))}>+</button>
              </span>
            )}
            <span class="guess-line mono" tabIndex={0} role="group" aria-describedby="guess-how" aria-label={`${at + 1} of ${lines.length}: ${text}${!when ? '' : second === null ? ', no time yet' : `, at ${second} s`}`} onKeyDown={(event) => key(event, at)}>{text}</span>
            <button type="button" class="icon-button up" aria-label={`Move “${text}” up`} disabled={at === 0} onClick={() => move(at, -1, '.up')}>▲</button>
            <button type="button" class="icon-button down" aria-label={`Move “${text}” down`} disabled={at === lines.length - 1} onClick={() => move(at, 1, '.down')}>▼</button>
          </li>
        ))}
      </ol>
      <p class="hidden" role="status">{said}</p>
    </>
  )
}

/** The first step from nothing is to zero. */
function later(second: number | null, by: number): number {
  return second === null ? 0 : Math.max(0, Math.min(LAST_SECOND, second + by))
}
