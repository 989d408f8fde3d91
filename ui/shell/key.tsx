// What each bar means. The pattern alone identifies a state; colour only repeats it.
const ENTRIES = [
  ['running', 'running', 'it runs on the loop'],
  ['ready', 'ready', 'it could run, but the loop is blocked'],
  ['waiting', 'waiting', 'it has yielded'],
  ['thread', 'in a thread', 'a worker runs it; the loop is free'],
  ['ghost', 'detached thread', 'its task was cancelled; the thread runs on'],
] as const

export function Key({ short = false }: { short?: boolean }) {
  return (
    <ul class={`legend ${short ? 'short' : ''}`}>
      {ENTRIES.map(([name, label, what]) => (
        <li key={name}><span class={`swatch ${name}`} aria-hidden="true" /> <b>{label}</b>{!short && <span class="soft"> {what}</span>}</li>
      ))}
    </ul>
  )
}
