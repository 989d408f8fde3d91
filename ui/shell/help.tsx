// The help on `?`: how to read the lanes, and every key.
import { useEffect, useRef } from 'preact/hooks'
import { helpOpen, KEYS } from '../keys.ts'
import { Key } from './key.tsx'

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null)
  const open = helpOpen.value
  useEffect(() => {
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
          Each row is a task on the one event loop; time goes from left to right. Only one row can be <b>running</b> at any moment. Where a row is{' '}
          <b>ready</b>, the task could run, and somebody else holds the loop: that is the damage a blocking call does. <b>Waiting</b> costs nobody anything.
        </p>
        <Key />
        <p>
          A stall is a band over the full height, amber from 50 ms, red from 100 ms. Its label says who held the loop, at which line, for how long, and what it
          cost the others. Click a row to ask why its task is not running.
        </p>
        <h3>Keys</h3>
        <dl class="keys">
          {KEYS.map(({ shown, does }) => (
            <div key={shown}><dt>{shown.split(/\s+/).filter((part) => part !== '').map((part) => <kbd key={part}>{part}</kbd>)}</dt><dd>{does}</dd></div>
          ))}
          <div><dt><kbd>↑</kbd><kbd>↓</kbd></dt><dd>on the lanes: choose a task</dd></div>
        </dl>
        <p class="soft">Wheel zooms, or scrolls where there are more rows than fit; Ctrl and wheel always zooms; drag moves; two fingers pinch. Drag on the axis to look at an earlier moment.</p>
      </div>
    </dialog>
  )
}
