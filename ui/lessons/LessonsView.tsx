// The lessons as a page: a list, and the chosen lesson, which the address keeps.
import { address, setAddress } from '../address.ts'
import { EVERYWHERE } from '../keys.ts'
import { language } from '../language.ts'
import type { PanelContext } from '../panels.ts'
import { BeliefLesson } from './BeliefsView.tsx'
import { beliefs } from './beliefs.ts'
import { Predict } from './Predict.tsx'

const RIDDLES = [1, 2, 3, 4, 5]
const FIRST = 'predict-3'

export function LessonsView({ session }: PanelContext) {
  const chosen = address.value.get('lesson') ?? FIRST
  const belief = beliefs.find(({ id }) => id === chosen)
  const riddle = RIDDLES.find((number) => `predict-${number}` === chosen)
  const title = (number: number): string => session.examples.value?.find((example) => example.number === number)?.title ?? `Example ${number}`
  return (
    <div class="lessons" onKeyDown={keepKeys}>
      <nav class="lesson-list" aria-label="Lessons">
        <h2>What comes first?</h2>
        <ul>{RIDDLES.map((number) => <Choice key={number} id={`predict-${number}`} chosen={chosen} text={`${number} · ${title(number)}`} />)}</ul>
        <h2>Misconceptions</h2>
        <ul>{beliefs.map(({ id, belief: text }) => <Choice key={id} id={id} chosen={chosen} text={text} />)}</ul>
      </nav>
      <div class="lesson-room">
        {belief !== undefined ? <BeliefLesson key={`${belief.id} ${language.value}`} session={session} belief={belief} />
          : riddle !== undefined ? <Predict key={`${riddle} ${language.value}`} session={session} number={riddle} chosen={language.value} />
            : <p class="panel-empty">There is no lesson with this name. Choose one from the list.</p>}
      </div>
    </div>
  )
}

function Choice({ id, chosen, text }: { id: string; chosen: string; text: string }) {
  return (
    <li><a href={`#view=lessons&lesson=${id}`} aria-current={id === chosen ? 'page' : undefined} onClick={(event) => {
      event.preventDefault()
      setAddress({ lesson: id }, true)
    }}>{text}</a></li>
  )
}

/** The shell's keys move the lanes, which this page does not have. */
function keepKeys(event: KeyboardEvent): void {
  if (!EVERYWHERE.includes(event.key)) event.stopPropagation()
}
