// Side by side, as a page of the shell.
import { panelOf, registerPanel } from '../panels.ts'
import { ComparePage } from './compare.tsx'

registerPanel({ id: 'compare', title: 'Side by side', place: 'view', order: 50, mount: panelOf(ComparePage) })
