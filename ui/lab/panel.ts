// The stall lab as a page of the shell.
import { panelOf, registerPanel } from '../panels.ts'
import { LabPage } from './lab.tsx'

registerPanel({ id: 'lab', title: 'Stall lab', needs: 'lab', place: 'view', order: 40, mount: panelOf(LabPage) })
