// Runs an example with its parameters. Running ones can be cancelled here, as with Ctrl-C in a terminal.
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { appPaths } from '../../src/http/paths.ts'
import type { Session } from '../session.ts'
import { useMenu } from './menu.tsx'

const FIELDS: Record<string, { label: string; placeholder: string; hint: string }> = {
  speed: { label: 'speed', placeholder: '1', hint: 'all delays are divided by this' },
  producers: { label: 'producers', placeholder: '3', hint: 'how many' },
  consumers: { label: 'consumers', placeholder: '2', hint: 'how many' },
  items: { label: 'items each', placeholder: '∞', hint: '0 or empty: no limit' },
  seed: { label: 'seed', placeholder: 'any', hint: 'the same seed, the same run' },
  maxsize: { label: 'queue size', placeholder: '∞', hint: 'how many items fit' },
}

export function RunMenu({ session }: { session: Session }) {
  const open = useSignal(false)
  const chosen = useSignal(3)
  const values = useSignal<Record<string, string>>({})
  const place = useRef<HTMLDivElement>(null)
  useMenu(open, place)
  const examples = session.examples.value ?? []
  const example = examples.find(({ number }) => number === chosen.value)
  const parameters = (): Record<string, string> => Object.fromEntries(
    Object.entries(values.value).filter(([name, value]) => value !== '' && (example?.parameters.includes(name) ?? false)))
  const run = (): void => {
    open.value = false
    void session.start(chosen.value, parameters())
  }
  const query = new URLSearchParams(parameters()).toString()
  const command = session.api.curl(`${appPaths.examples}/${chosen.value}/run${query === '' ? '' : `?${query}`}`, '-N')
  void session.tick.value
  const { running } = session
  return (
    <div class="run-menu" ref={place}>
      <button type="button" class="button accent" aria-expanded={open.value} aria-haspopup="dialog" onClick={() => { open.value = !open.value }}>▶ Run an example <span aria-hidden="true">▾</span></button>
      {running.length > 0 && (
        <button type="button" class="button" onClick={() => session.cancelRun(running.at(-1) as number)} title="Cancel the run, as Ctrl-C does (C)">
          Cancel <span class="wide-only">run {running.at(-1)}</span>{running.length > 1 && ` +${running.length - 1}`}
        </button>
      )}
      {open.value && (
        <div class="popover" role="dialog" aria-label="Run an example">
          {examples.length === 0 && <p class="soft">There are no examples yet: the server does not answer.</p>}
          <div class="example-list" role="radiogroup" aria-label="Examples">
            {examples.map(({ number, title, lookFor }) => (
              <label class={`example ${number === chosen.value ? 'chosen' : ''}`} key={number}>
                <input type="radio" name="example" checked={number === chosen.value} onChange={() => { chosen.value = number }}
                  onKeyDown={(event) => { if (event.key === 'Enter') run() }} onDblClick={run} />
                <span class="number">{number}</span>
                <span><b>{title}</b><span class="soft">{lookFor}</span></span>
              </label>
            ))}
          </div>
          {example !== undefined && (
            <form class="parameters" onSubmit={(event) => { event.preventDefault(); run() }}>
              {example.parameters.filter((name) => name in FIELDS).map((name) => (
                <label key={name} title={FIELDS[name]?.hint}>
                  <span>{FIELDS[name]?.label}</span>
                  <input inputMode="decimal" size={6} placeholder={FIELDS[name]?.placeholder} value={values.value[name] ?? ''}
                    onInput={({ currentTarget }) => { values.value = { ...values.value, [name]: currentTarget.value.trim() } }} />
                </label>
              ))}
              <label class="check"><input type="checkbox" checked={values.value['clock'] === 'virtual'}
                onChange={({ currentTarget }) => { values.value = { ...values.value, clock: currentTarget.checked ? 'virtual' : '' } }} /> <span>virtual time: all at once</span></label>
              <div class="run-line">
                <button type="submit" class="button accent">▶ Run example {chosen.value}</button>
                <code class="curl">{command}</code>
                <button type="button" class="link-button" onClick={() => void copy(session, command)}>copy</button>
              </div>
            </form>
          )}
        </div>
      )}
    </div>
  )
}

export async function copy(session: Session, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    session.say('good', `Copied: ${text}`)
  } catch {
    session.say('bad', `The browser does not allow this page to copy. The text is: ${text}`)
  }
}
