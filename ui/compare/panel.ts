// The comparison of two runs, as a page of the shell.
import { panelOf, registerPanel } from '../panels.ts'
import { ComparePage } from './compare.tsx'

registerPanel({ id: 'compare', title: 'Compare', needs: 'examples', place: 'view', order: 50, mount: panelOf(ComparePage) })
