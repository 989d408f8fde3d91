// To be imported before any schema: zod tries else whether it may make functions out of text, which the page's policy
// forbids and reports.
import { z } from 'zod'

z.config({ jitless: true })
