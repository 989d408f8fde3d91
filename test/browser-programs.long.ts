// The tests of pages that compile programs and run them in the browser: one Chromium, and mostly one server.
import { together } from './support/together.ts'

together('program')
