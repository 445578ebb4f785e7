// The accumulated cloud in 3D. With motion compensation each object stands where it is at the keyframe; without, every
// point stands where some sweep saw it, and what moves leaves a ghost.
"use strict";
function cloudView(canvas, legend) {
  const TRANSIENT = [150, 110, 160], STATIC = [70, 145, 235], MOVER = [240, 80, 70], FOUND = [255, 160, 40];
  const camera = new THREE.PerspectiveCamera(55, 1, 0.2, 2000);
  camera.up.set(0, 0, 1);
  let renderer;
  try {
    renderer = new THREE.WebGLRenderer({ canvas, antialias: true, preserveDrawingBuffer: true });
  } catch {
    return null;
  }
  // Colours as they are written, without a linear space between.
  THREE.ColorManagement.enabled = false;
  renderer.outputColorSpace = "srgb-linear";
  renderer.setClearColor(0x14171d);
  const scene = new THREE.Scene();
  const controls = new THREE.OrbitControls(camera, canvas);
  const root = new THREE.Group();
  scene.add(root);
  const voxels = voxelsView(scene, legend);
  let shown = null, pending = false, drawing = null, latest = 0;
  // While the view moves no more points are drawn than keep up with the screen; all of them once it rests.
  const FRAME_MS = 20, REST_MS = 250, LEAST = 0.04;
  let moving = false, rest = null, share = 1, before = null;

  function render() {
    if (pending) return;
    pending = true;
    drawing = new Promise((done) => requestAnimationFrame(() => {
      pending = false;
      done();
      const { clientWidth: w, clientHeight: h } = canvas, ratio = Math.min(window.devicePixelRatio, 2);
      if (!w || !h) return;
      if (canvas.width !== Math.floor(w * ratio) || canvas.height !== Math.floor(h * ratio)) {
        renderer.setPixelRatio(ratio);
        renderer.setSize(w, h, false);
      }
      camera.aspect = w / h;
      camera.updateProjectionMatrix();
      const began = performance.now();
      if (moving && before) share = Math.min(1, Math.max(LEAST, share * Math.min(1.2, Math.max(0.4, FRAME_MS / (began - before)))));
      before = moving ? began : null;
      for (const { geometry } of shown ? shown.shuffled : [])
        geometry.setDrawRange(0, moving ? Math.ceil(share * geometry.getAttribute("position").count) : Infinity);
      renderer.render(scene, camera);
      canvas.dataset.renderMs = (performance.now() - began).toFixed(2);
      canvas.dataset.drawnPoints = renderer.info.render.points;
      canvas.dataset.frames = 1 + Number(canvas.dataset.frames || 0);
    }));
  }
  controls.addEventListener("start", () => { clearTimeout(rest); moving = true; });
  controls.addEventListener("end", () => { rest = setTimeout(() => { moving = false; render(); }, REST_MS); });
  controls.addEventListener("change", () => {
    canvas.dataset.eye = camera.position.toArray().map((x) => x.toFixed(3));
    render();
  });
  new ResizeObserver(render).observe(canvas);

  async function positions(about, read) {
    const q = codec.uint16(await codec.bytes(read(about.part))), n = about.count, out = new Float32Array(3 * n);
    for (let i = 0; i < n; i++)
      for (let k = 0; k < 3; k++) out[3 * i + k] = about.low[k] + about.step_m * q[k * n + i];
    return out;
  }
  // In an order in which any first part of them is all over the place.
  function shuffled(xyz) {
    let seed = 1;
    for (let i = xyz.length / 3 - 1; i > 0; i--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const j = Math.floor((seed / 4294967296) * (i + 1));
      for (let k = 0; k < 3; k++) [xyz[3 * i + k], xyz[3 * j + k]] = [xyz[3 * j + k], xyz[3 * i + k]];
    }
    return xyz;
  }
  function points(xyz) {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(xyz, 3));
    const material = new THREE.PointsMaterial({ size: 2, sizeAttenuation: false, vertexColors: true });
    const object = new THREE.Points(geometry, material);
    object.frustumCulled = false;
    root.add(object);
    return object;
  }
  function paint(object, colourOf) {
    const xyz = object.geometry.getAttribute("position").array, n = xyz.length / 3, rgb = new Uint8Array(3 * n);
    for (let i = 0; i < n; i++) rgb.set(colourOf(xyz[3 * i + 2]), 3 * i);
    object.geometry.setAttribute("color", new THREE.BufferAttribute(rgb, 3, true));
  }
  // Colours far apart for neighbours in number: steps of the golden angle.
  const hue = (k) => {
    const c = new THREE.Color().setHSL((k * 0.381966) % 1, 0.85, 0.6);
    return [c.r, c.g, c.b].map((x) => Math.round(255 * x));
  };
  function edges(size, colour = 0xffffff) {
    const [l, w, h] = size.map((x) => x / 2), corner = (i) => [i & 1 ? l : -l, i & 2 ? w : -w, i & 4 ? h : -h], xyz = [];
    for (let a = 0; a < 8; a++) for (const bit of [1, 2, 4]) if (!(a & bit)) xyz.push(...corner(a), ...corner(a | bit));
    return lines(xyz, colour);
  }
  function lines(xyz, colour) {
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(xyz), 3));
    const object = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: colour, transparent: true, opacity: 0.7 }));
    object.frustumCulled = false;
    root.add(object);
    return object;
  }

  // Where each object's middle goes from keyframe to keyframe.
  function tracksOf(movers) {
    const xyz = [];
    for (const { poses } of movers)
      for (let k = 1; k < poses.length; k++)
        if (poses[k - 1] && poses[k]) xyz.push(...poses[k - 1].slice(12, 15), ...poses[k].slice(12, 15));
    return xyz.length ? xyz : [0, 0, 0, 0, 0, 0];
  }
  // Squares of 10 m on the ground, about the scene's origin.
  function gridAt(z) {
    const xyz = [], far = 200;
    for (let k = -far; k <= far; k += 10) xyz.push(-far, k, z, far, k, z, k, -far, z, k, far, z);
    return xyz;
  }

  async function load(cloud, read) {
    for (const object of [...root.children]) { root.remove(object); object.geometry.dispose(); object.material.dispose(); }
    voxels.remove();
    shown = { cloud, read, static: points(shuffled(await positions(cloud.static, read))), transient: points(await positions(cloud.transient, read)), movers: [] };
    for (const mover of cloud.movers) {
      const box = points(shuffled(await positions(mover.box, read))), seen = points(shuffled(await positions(mover.seen, read)));
      const frame = edges(mover.size_lwh_m);
      for (const object of [box, frame]) object.matrixAutoUpdate = false;
      shown.movers.push({ mover, box, seen, frame });
    }
    shown.shuffled = [shown.static, ...shown.movers.flatMap(({ box, seen }) => [box, seen])];
    shown.labels = [];
    for (const label of cloud.labels || []) {
      const parts = [lines([...(await positions(label.lines, read))], 0xf5963c), edges(label.size_lwh_m, 0xf5963c)];
      for (const object of parts) object.matrixAutoUpdate = false;
      shown.labels.push({ label, parts });
    }
    const z = shown.static.geometry.getAttribute("position").array.filter((_, i) => i % 3 === 2).sort();
    shown.votes = cloud.votes ? points(new Float32Array(0)) : null;
    // Over the rest of the cloud, which holds the same points.
    if (shown.votes) Object.assign(shown.votes, { renderOrder: 1 }).material.depthTest = false;
    shown.low = z[Math.floor(0.02 * z.length)] || 0;
    shown.frustum = lines([0, 0, 0, 0, 0, 0], 0xffffff);
    shown.tracks = lines(tracksOf(cloud.movers), 0xffe08a);
    shown.grid = lines(gridAt(shown.low), 0x55606e);
  }

  // A keyframe's scan in the colours of its votes; how many points, and how many of them are said to move.
  const VOTES = legend.votes.colours, MOVES = legend.votes.steps / 2;
  async function votes(about, read) {
    if (!about) return null;
    const xyz = await positions(about, read), said = await codec.bytes(read(about.moving)), rgb = new Uint8Array(xyz.length);
    said.forEach((p, i) => rgb.set(VOTES[p], 3 * i));
    return { xyz, rgb, moving: said.reduce((n, p) => n + (p > MOVES), 0) };
  }

  // options: keyframe (index), compensated, colour: source | object | height | vote, boxes, shapes,
  // voxels: class | height | confidence in the points' place, or nothing
  async function show(options) {
    if (!shown) return;
    const mine = ++latest;
    const { cloud } = shown;
    const grey = (z) => { const g = 70 + 110 * Math.min(Math.max((z - shown.low) / 8, 0), 1); return [g, g, g + 8]; };
    const byHeight = (z) => { const s = Math.min(Math.max((z - shown.low) / 8, 0), 1); return [40 + 215 * s, 110 + 90 * s, 220 - 170 * s]; };
    const dark = (z) => grey(z).map((g) => 0.45 * g);
    const pick = (bySource, byObject) => ({ source: () => bySource, object: byObject, height: byHeight, vote: dark }[options.colour]);
    // Colours do not change with time.
    const anew = shown.coloured !== options.colour;
    shown.coloured = options.colour;
    if (anew) {
      paint(shown.static, pick(STATIC, grey));
      paint(shown.transient, pick(TRANSIENT, () => TRANSIENT));
    }
    const [from, to] = options.compensated ? cloud.transient.ranges[options.keyframe] : [0, cloud.transient.count];
    shown.transient.geometry.setDrawRange(from, to - from);
    shown.tracks.visible = options.tracks;
    shown.grid.visible = options.grid;
    let drawn = 0;
    shown.movers.forEach(({ mover, box, seen, frame }, k) => {
      const pose = mover.poses[options.keyframe];
      box.visible = options.compensated && !!pose;
      frame.visible = box.visible && options.boxes;
      seen.visible = !options.compensated;
      if (pose) for (const object of [box, frame]) { object.matrix.fromArray(pose); object.matrixWorldNeedsUpdate = true; }
      if (anew) for (const object of [box, seen]) paint(object, pick(mover.labelled ? MOVER : FOUND, () => hue(k)));
      drawn += box.visible + seen.visible;
    });
    let labels = 0;
    for (const { label, parts } of shown.labels) {
      const pose = label.poses[options.keyframe];
      for (const object of parts) {
        object.visible = options.compensated && options.shapes && !options.voxels && !!pose;
        if (pose) { object.matrix.fromArray(pose); object.matrixWorldNeedsUpdate = true; }
      }
      labels += parts[0].visible;
    }
    const asVoxels = options.voxels && shown.cloud.voxels;
    const clouds = [shown.static, shown.transient, ...shown.movers.flatMap(({ box, seen }) => [box, seen])];
    for (const object of clouds) object.material.visible = !asVoxels;
    const said = options.colour === "vote" && cloud.votes ? await votes(cloud.votes[options.keyframe], shown.read) : null;
    if (mine !== latest) return;
    if (shown.votes) {
      shown.votes.visible = !!said && !asVoxels;
      if (said) {
        shown.votes.geometry.setAttribute("position", new THREE.BufferAttribute(said.xyz, 3));
        shown.votes.geometry.setAttribute("color", new THREE.BufferAttribute(said.rgb, 3, true));
      }
    }
    const many = await voxels.show(asVoxels ? shown.cloud.voxels[options.keyframe] : null, options.voxels, shown.read);
    if (mine !== latest) return;
    canvas.dataset.state = JSON.stringify({ ...options, transient: to - from, movers: drawn, occupied: many, labels, votes: said && said.moving });
    render();
  }

  const inCloud = (T) => { // rows of T_global_cam, less the cloud's origin
    const o = shown.cloud.origin;
    return (x, y, z) => [0, 1, 2].map((r) => T[r][0] * x + T[r][1] * y + T[r][2] * z + T[r][3] - o[r]);
  };
  function frustum(image) {
    if (!shown) return;
    const at = inCloud(image.T_global_cam), [w, h] = image.size, K = image.K, far = 6;
    const eye = at(0, 0, 0), corner = (u, v) => at((far * (u - K[0][2])) / K[0][0], (far * (v - K[1][2])) / K[1][1], far);
    const corners = [corner(0, 0), corner(w, 0), corner(w, h), corner(0, h)], xyz = [];
    corners.forEach((c, i) => xyz.push(...eye, ...c, ...c, ...corners[(i + 1) % 4]));
    shown.frustum.geometry.setAttribute("position", new THREE.BufferAttribute(new Float32Array(xyz), 3));
    render();
  }
  // From behind and above, straight from above, or through the camera itself.
  function look(image, from) {
    if (!shown) return;
    const through = from === "through", top = from === "above";
    const at = inCloud(image.T_global_cam), [w, h] = image.size;
    camera.fov = through ? (2 * Math.atan(Math.max(h, (w * canvas.clientHeight) / canvas.clientWidth) / 2 / image.K[1][1]) * 180) / Math.PI : 55;
    camera.position.set(...(through ? at(0, 0, 0) : at(-3, -11, -18)));
    if (top) { const [x, y, z] = at(0, 0, 15); camera.position.set(x, y, z + 70); controls.target.set(x, y + 0.01, z); }
    else controls.target.set(...(through ? at(0, 0, 0.5) : at(0, 0, 12)));
    controls.update();
    canvas.dataset.eye = camera.position.toArray().map((x) => x.toFixed(3));
    render();
  }
  function size(px) { root.children.forEach((o) => { if (o.isPoints) o.material.size = px; }); render(); }

  return { load, show, frustum, look, size, keyOf: voxels.keyOf, drawn: () => drawing };
}
