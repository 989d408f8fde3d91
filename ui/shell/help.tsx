// The help on `?`: how to read the lanes, and every key.
import { useLayoutEffect, useRef } from 'preact/hooks'
import { helpOpen, keysFor } from '../keys.ts'
import type { Session } from '../session.ts'
import { Key } from './key.tsx'

export function Help({ session }: { session: Session }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const open = helpOpen.value
  useLayoutEffect(() => {
    const element = dialog.current
    if (element === null) return
    if (open && !element.open) element.showModal()
    else if (!open && element.open) element.close()
  }, [open])
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={() => { helpOpen.value = false }}
      onClick={(event) => { if (event.target === event.currentTarget) helpOpen.value = false }}
    >
      <div class="help-body">
        <header>
          <h2 id="help-title">How to read this</h2>
          <button type="button" class="ghost-button" onClick={() => { helpOpen.value = false }} aria-label="Close the help">✕</button>
        </header>
        <p>
          Each row is a task on the event loop; time runs from left to right. Only one row can be <b>running</b> at any moment. Where a row is{' '}
          <b>ready</b>, the task could run, but the loop runs something else: this is the delay that a blocking call causes. A <b>waiting</b> task delays no other task.
        </p>
        <Key />
        <p>
          A stall is a band over the full height, amber from 50 ms, red from 100 ms. Its label says what blocked the loop, at which line, for how long, and what
          this delayed. Click a row to see why its task is not running.
        </p>
        <h3>Keys</h3>
        <dl class="keys">
          {keysFor(session).map(({ shown, does }) => (
            <div key={shown}><dt>{shown.split(/\s+/).filter((part) => part !== '').map((part) => <kbd key={part}>{part}</kbd>)}</dt><dd>{does}</dd></div>
          ))}
          {session.can('tasks') === true && <div><dt><kbd>↑</kbd><kbd>↓</kbd></dt><dd>on the lanes: select a task</dd></div>}
        </dl>
        <p class="soft">The wheel zooms, or scrolls if there are more rows than fit. Ctrl and the wheel always zoom. Drag to move, pinch with two fingers to zoom. Drag on the axis to look at an earlier moment.</p>
      </div>
    </dialog>
  )
}
