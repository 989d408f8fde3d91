// The tests of pages that compile programs and run them in the browser: one Chromium, and mostly one server. With those of the
// other pages they take the longest; by their names, tap starts both among the first.
import { together } from './support/together.ts'

together('program')
