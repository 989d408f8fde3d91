// What the live view is for, in a real browser: one Chromium, and mostly one server. By its name, tap starts this file among the
// first, and the others run beside it.
import { together } from './support/together.ts'

together('page')
