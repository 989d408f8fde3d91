// What each bar means: the pattern says it, the colour only repeats it.
const ENTRIES = [
  ['running', 'running', 'it has the loop'],
  ['ready', 'ready', 'it could run: the loop is held'],
  ['waiting', 'waiting', 'it gave the loop back'],
  ['thread', 'in a thread', 'a worker does it; the loop is free'],
  ['ghost', 'ghost', 'cancelled, but its thread goes on'],
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
