// Where a stepped program is stopped: its functions, and the variables of the chosen one. All values are text from the thread.
import { useState } from 'preact/hooks'
import type { Stop } from './messages.ts'

export function Stopped({ stop: { stack }, onGo }: { stop: Stop; onGo: (line: number) => void }) {
  const [chosen, choose] = useState(0)
  const frame = stack[chosen] ?? stack[0]
  if (frame === undefined) return null
  const local = frame.variables.filter((variable) => variable.local)
  const outside = frame.variables.filter((variable) => !variable.local)
  return (
    <section class="pg-stop" aria-label="Where it is stopped">
      <h2>Stack</h2>
      <ol class="pg-stack">
        {stack.map(({ function: name, line }, at) => (
          <li key={at}>
            <button type="button" class="row-button" aria-pressed={frame === stack[at]} onClick={() => { choose(at); onGo(line) }}>
              {name === '' ? at === stack.length - 1 ? 'the module' : 'a function' : name} <span class="pg-line">line {line}</span>
            </button>
          </li>
        ))}
      </ol>
      <Variables title={`Variables${frame.function === '' ? '' : ` of ${frame.function}`}`} list={local} />
      {outside.length > 0 && <Variables title="Variables around it" list={outside} />}
    </section>
  )
}

function Variables({ title, list }: { title: string; list: Stop['stack'][number]['variables'] }) {
  return (
    <>
      <h2>{title}</h2>
      {list.length === 0 && <p class="soft">None yet.</p>}
      <dl class="pg-variables" aria-label={title}>
        {list.map(({ name, value }, at) => <div key={at}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </>
  )
}
