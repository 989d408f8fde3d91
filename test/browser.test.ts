// The tests of pages: one Chromium, and mostly one server. By its name, tap starts this file among the first, and the others
// run beside it.
import { together } from './support/together.ts'

// This one looks at a server on which nothing has run.
together('page', 'ui/view.page.ts')
