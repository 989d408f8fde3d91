// When a process counts as stopped, with made-up times and files.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Suspensions } from '../../src/observe/suspensions.ts'

/** The observer's thread was to run 20 ms after 10.00, and does so at `now`. In between, it has run and waited for `spent` seconds, and the watched one for `watched`. */
function noted(t: Test, now: number, { spent = 0, watched = 0, beats = 1, beat = 9.995 }): ReturnType<Suspensions['note']> {
  const schedstat = '1000000000 0 1    '
  const threads = t.testdir({ own: { schedstat }, watched: { schedstat } })
  const suspensions = new Suspensions(join(threads, 'watched'), join(threads, 'own'))
  t.teardown(() => suspensions.close())
  suspensions.note(10, 10, 100, beat)
  writeFileSync(join(threads, 'own/schedstat'), `${1e9 + spent * 1e9} 0 1`)
  writeFileSync(join(threads, 'watched/schedstat'), `1000000000 ${watched * 1e9} 1`)
  return suspensions.note(now, 10.02, 100 + beats, now)
}

t.test('a process was stopped if neither of its threads did anything', async (t) => {
  const gap = noted(t, 10.5, {})
  t.ok(gap !== null && gap.from > 10 && gap.from < 10.02 && gap.to === 10.5, JSON.stringify(gap))
})

t.test('it did not if the observer only had to wait for a processor, or was busy', async (t) => {
  t.equal(noted(t, 10.5, { spent: 0.4 }), null)
})

t.test('it did not if the watched thread went on', async (t) => {
  t.equal(noted(t, 10.5, { beats: 24 }), null)
  t.equal(noted(t, 10.5, { watched: 0.4 }), null, 'it had no processor, and the observer waited for it')
  t.equal(noted(t, 10.08, { beats: 4 }), null)
})

t.test('it did not if the observer ran in time', async (t) => {
  t.equal(noted(t, 10.021, {}), null)
})

t.test('says for how long, between two times', async (t) => {
  const own = t.testdir({ schedstat: '1000000000 0 1' })
  const suspensions = new Suspensions(own, own)
  t.teardown(() => suspensions.close())
  suspensions.note(10, 10, 0, 5)
  const gap = suspensions.note(11, 10, 1, 11)!
  t.ok(Math.abs(suspensions.within(10.5, 20) - (gap.to - 10.5)) < 1e-9)
  t.equal(suspensions.within(0, 5), 0)
})

t.test('knows nothing where the kernel says nothing', async (t) => {
  const suspensions = new Suspensions(null)
  t.equal(suspensions.note(10, 10, 0, 10), null)
  t.equal(suspensions.note(20, 10, 0, 10), null)
})
