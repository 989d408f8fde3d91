// The one Chromium of a test process.
import type { Browser } from 'playwright-core'
import t from 'tap'
import { findChromium, launch } from './chromium.ts'
import { buildView } from './ui.ts'

// A browser, and pages that compile TypeScript, take their time on a busy machine. This is for all tests of the process.
t.setTimeout(1_800_000)

const found = await findChromium()

/** For a test's `skip`: why there is no Chromium; false if there is one. */
export const noChromium: string | false = typeof found === 'string' && found

let launched: Promise<Browser> | null = null

/** Chromium, launched for the first test that asks, with the page built; it is closed after the last test. */
export function browser(): Promise<Browser> {
  launched ??= start()
  return launched
}

async function start(): Promise<Browser> {
  if (typeof found === 'string') throw new Error(found)
  await buildView()
  const chromium = await launch(found)
  // A test runs now, so all tests of the process are known: none is lost by this teardown.
  t.teardown(() => chromium.close())
  return chromium
}
