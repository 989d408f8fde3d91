// Beside the editor: what the program printed and, for a program in Python, the same program in TypeScript.
import { useState } from 'preact/hooks'
import { Outputs } from '../compare/Outputs.tsx'
import { language } from '../language.ts'
import { SourceCode, type LineMark } from '../lessons/SourceCode.tsx'
import { Output } from './Output.tsx'
import type { Playground } from './model.ts'
import type { Stand } from './stands.ts'
import { Stopped } from './Stopped.tsx'

const TABS = ['Output', 'In TypeScript'] as const

export function Beside({ model, onGo }: { model: Playground; onGo: (line: number) => void }) {
  const [chosen, choose] = useState<typeof TABS[number]>('Output')
  const tab = language.value === 'python' ? chosen : 'Output'
  const go = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return
    event.preventDefault()
    const next = TABS.find((one) => one !== tab) ?? tab
    choose(next)
    document.getElementById(idOf(next))?.focus()
  }
  return (
    <section class="pg-pane pg-output" aria-label={tab}>
      {language.value === 'python'
        ? (
          <div class="tabs" role="tablist" aria-label="Beside the program" onKeyDown={go}>
            {TABS.map((one) => (
              <button
                key={one} type="button" role="tab" class="tab" id={idOf(one)} aria-selected={one === tab} aria-controls="pg-beside"
                tabIndex={one === tab ? 0 : -1} onClick={() => choose(one)}
              >{one}</button>
            ))}
          </div>
        )
        : <h2>Output</h2>}
      <div class="pg-beside" id="pg-beside" {...language.value === 'python' ? { 'role': 'tabpanel', 'aria-labelledby': idOf(tab) } : {}}>
        {tab === 'Output' ? <Printed model={model} onGo={onGo} /> : <InTypeScript model={model} />}
      </div>
    </section>
  )
}

function idOf(tab: string): string {
  return `pg-tab-${tab.replace(/\W/g, '').toLowerCase()}`
}

function Printed({ model, onGo }: { model: Playground; onGo: (line: number) => void }) {
  void model.tick.value
  const run = model.run.value
  const comparison = model.comparison.value
  return (
    <>
      {run?.stop != null && <Stopped key={run.stop.line} stop={run.stop} onGo={onGo} />}
      <div class="pg-scroll" tabIndex={0} role="log" aria-label="Printed lines">
        {comparison === null ? <Output run={run} position={model.cursor.value} /> : <Outputs sides={comparison.sides.value} />}
      </div>
    </>
  )
}

function InTypeScript({ model }: { model: Playground }) {
  const translation = model.translated.value.value
  if (translation === null) return <p class="soft pg-none">{model.checking.value ? 'CPython parses the program …' : 'Python cannot parse this program, so it is not translated.'}</p>
  const { code, untranslated, lines, of } = translation
  const missing = untranslated.length
  const old = of !== model.code.value
  return (
    <>
      <div class="pg-translation">
        <span class="soft">{old ? 'This is of the program before its last change: CPython parses it …' : missing === 0 ? 'The same program, for loopscope.' : `${missing} ${missing === 1 ? 'part' : 'parts'} cannot be translated: see the list below the program.`}</span>
        <button type="button" class="button" disabled={old} onClick={() => model.openTranslation()}>Open in the editor</button>
      </div>
      <div class="pg-scroll flush"><SourceCode label="The program in TypeScript" source={code} marks={old ? [] : twins(model.stands.value, lines)} /></div>
    </>
  )
}

/** The lines of tasks in the translation: the last that comes from the line in Python. */
function twins(stands: readonly Stand[], lines: readonly number[]): LineMark[] {
  return stands.flatMap(({ line, text, holds }) => {
    const twin = lines.lastIndexOf(line)
    return twin < 0 ? [] : [{ line: twin + 1, text, holds }]
  })
}
