// The part of an image that canvases show: the same for all of them, moved by wheel, drag, pinch and keys.
"use strict";
function zoomable(canvases, onchange) {
  const NEAREST = 32, view = { zoom: 1, u: 0, v: 0 };
  let size = [1, 1];
  const pointers = new Map();

  function set(zoom, u, v) {
    view.zoom = Math.min(Math.max(zoom, 1), NEAREST);
    view.u = Math.min(Math.max(u, 0), size[0] * (1 - 1 / view.zoom));
    view.v = Math.min(Math.max(v, 0), size[1] * (1 - 1 / view.zoom));
    for (const canvas of canvases) canvas.classList.toggle("near", view.zoom > 1);
  }
  // Keep what is shown where another image is of another size.
  function fit(width, height) {
    const [w, h] = size;
    size = [width, height];
    set(view.zoom, (view.u * width) / w, (view.v * height) / h);
  }
  // A place of the page in pixels of the image, from its upper left corner.
  function at(canvas, x, y) {
    const box = canvas.getBoundingClientRect();
    return [
      view.u + ((x - box.left) / box.width) * (size[0] / view.zoom),
      view.v + ((y - box.top) / box.height) * (size[1] / view.zoom),
    ];
  }
  function by(factor, u, v) {
    const zoom = Math.min(Math.max(view.zoom * factor, 1), NEAREST), kept = view.zoom / zoom;
    set(zoom, u - (u - view.u) * kept, v - (v - view.v) * kept);
    onchange();
  }
  const middle = () => [view.u + size[0] / view.zoom / 2, view.v + size[1] / view.zoom / 2];
  const step = (factor) => by(factor, ...middle());
  function whole() { set(1, 0, 0); onchange(); }
  // A square of the image in the middle, with as much around it.
  function show(u, v, width, height) {
    const zoom = Math.min(size[0] / (3 * width), size[1] / (3 * height));
    set(zoom, 0, 0);
    set(zoom, u + width / 2 - size[0] / view.zoom / 2, v + height / 2 - size[1] / view.zoom / 2);
  }
  function apply(context) {
    context.setTransform(view.zoom, 0, 0, view.zoom, -view.u * view.zoom, -view.v * view.zoom);
    context.imageSmoothingEnabled = view.zoom === 1;
  }

  for (const canvas of canvases) {
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      by(Math.exp(-event.deltaY / 400), ...at(canvas, event.clientX, event.clientY));
    }, { passive: false });
    canvas.addEventListener("dblclick", whole);
    canvas.addEventListener("pointerdown", (event) => {
      pointers.set(event.pointerId, event);
      if (view.zoom > 1) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) return;
      const other = [...pointers.values()].find((p) => p.pointerId !== event.pointerId);
      pointers.set(event.pointerId, event);
      if (other) {
        const apart = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY) || 1;
        by(apart(event) / apart(before), ...at(canvas, (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2));
      } else if (view.zoom > 1) {
        const [u, v] = at(canvas, before.clientX, before.clientY), [s, t] = at(canvas, event.clientX, event.clientY);
        set(view.zoom, view.u + u - s, view.v + v - t);
        onchange();
      }
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"])
      canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }
  return { view, set, fit, at, step, whole, show, apply };
}
