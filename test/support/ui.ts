// The live view for tests: built if its sources are not those that it was made of, once for all the tests that run at the same
// time, and served by the real server to a real browser.
// @ts-expect-error: it has no types
import { build } from '../../tools/build.mjs'

/** Build the page into dist/ui if it is not the one that the sources make. */
export const buildView = build as () => Promise<unknown>
