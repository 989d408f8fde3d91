// The loop's own two queues: the ready tasks in the order in which they run, and the timers by their deadline.
import type { PanelContext } from '../panels.ts'
import { duration, holderAt, readyQueue, timers } from '../recording/explain.ts'
import { TaskLink } from './parts.tsx'

const MOST = 60

export function LoopPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { position, time } = session
  const holder = holderAt(recording, position)
  const ready = readyQueue(recording, position)
  const waiting = timers(recording, position)
  return (
    <div class="loop-queues">
      <section aria-label="Running">
        <h3>Running <span class="soft">one at a time</span></h3>
        {holder === null
          ? <p class="soft">Nothing: the loop sleeps until a timer is due or an event arrives from outside.</p>
          : <ol class="slots"><li class="slot running"><TaskLink session={session} task={holder.id} /></li></ol>}
      </section>
      <section aria-label="Ready queue">
        <h3>Ready queue <span class="soft">{ready.length === 0 ? 'empty' : `${ready.length}, first in, first out`}</span></h3>
        <ol class="slots">
          {ready.slice(0, MOST).map(({ lane, since }, at) => (
            <li key={lane.id} class="slot ready">
              {at === 0 && <span class="next">next</span>}
              <TaskLink session={session} task={lane.id} /> <span class="soft">{duration(Math.max(0, time - since))}</span>
            </li>
          ))}
        </ol>
        {ready.length > MOST && <p class="soft">and {ready.length - MOST} more</p>}
      </section>
      <section aria-label="Timers">
        <h3>Timers <span class="soft">{waiting.length === 0 ? 'none' : 'by deadline'}</span></h3>
        <ol class="timers">
          {waiting.slice(0, MOST).map(({ lane, deadline, kind }) => {
            const left = deadline - time
            return (
              <li key={lane.id}>
                <span class={`number ${left < -0.002 ? 'bad' : ''}`}>{left < -0.002 ? `${duration(-left)} late` : duration(Math.max(0, left))}</span>
                <TaskLink session={session} task={lane.id} /> <span class="soft">{kind}</span>
              </li>
            )
          })}
        </ol>
        {waiting.length > MOST && <p class="soft">and {waiting.length - MOST} more</p>}
      </section>
    </div>
  )
}
