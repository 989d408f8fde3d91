// The page may be zoomed by its style sheet, as in presenter mode. Boxes and pointers are measured in pixels of the window;
// canvases are laid out, and drawn, in zoomed ones.

/** How many pixels of the window one of the element's is; 1 in browsers that do not say. */
export function zoomOf(element: Element): number {
  return (element as { currentCSSZoom?: number }).currentCSSZoom ?? 1
}

/** The size of an element in its own pixels. */
export function sizeOf(element: Element): { width: number; height: number; zoom: number } {
  const { width, height } = element.getBoundingClientRect()
  const zoom = zoomOf(element)
  return { width: width / zoom, height: height / zoom, zoom }
}
