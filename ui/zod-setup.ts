// Import this before any schema. Otherwise zod tests whether it may create functions from text; the page's policy forbids
// that and reports the attempt.
import { z } from 'zod'

z.config({ jitless: true })
