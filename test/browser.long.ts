// The other tests of pages: one Chromium, and mostly one server. A browser without a graphics card takes the processors from
// tests that look at what blocks a loop, so they are run apart from those.
import { together } from './support/together.ts'

together('long-page')
