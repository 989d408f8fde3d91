// The live view for tests: built if its sources have changed, once for all tests that run at the same time, and served by the
// real server to a real browser.
// @ts-expect-error: it has no types
import { build } from '../../tools/build.mjs'

/** Builds the page into dist/ui unless it is up to date. */
export const buildView = build as () => Promise<unknown>
