// The page: what is chosen, what is shown of it, and what the mouse points at.
"use strict";
(async () => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const { legend, scenes } = content, $ = (id) => document.getElementById(id);
  const read = (part) => $(part).textContent;
  const draw = pictures(legend), cloud = cloudView($("cloud"));
  const TITLES = { image: "Image", depth: "Depth", source: "Source", age: "Age", confidence: "Confidence",
    completed: "Completed", truth: "Exact", error: "Error" };
  const state = { scene: 0, keyframe: 0, channel: null, layer: "depth", opacity: 0.75, side: false };
  let layers = null, image = null, playing = null, latest = 0;
  const cache = new Map();

  const keyframes = () => scenes[state.scene].keyframes;
  const chosenImage = () => {
    const cameras = keyframes()[state.keyframe].cameras;
    return cameras.find((c) => c.channel === state.channel) || cameras[0];
  };

  async function decode(part) {
    if (cache.has(part.part)) return cache.get(part.part);
    const [width, height] = part.size, out = { width, height };
    await Promise.all(part.layers.map(async (name) => {
      const text = read(`${part.part}-${name}`);
      if (name === "image") {
        out.image = new Image();
        out.image.src = `data:image/webp;base64,${text}`;
        await out.image.decode();
        return;
      }
      const data = await codec.bytes(text);
      out[name] = name === "depth" || name === "truth" ? codec.steps(data, width, height) : data;
    }));
    cache.set(part.part, out);
    if (cache.size > 24) cache.delete(cache.keys().next().value);
    return out;
  }

  const available = () => Object.keys(TITLES).filter((name) =>
    name === "completed" ? layers.source.includes(5) : name === "error" ? layers.truth : layers[name]);

  function button(text, pressed, onclick) {
    const b = document.createElement("button");
    b.textContent = text;
    b.setAttribute("aria-pressed", pressed);
    b.onclick = onclick;
    return b;
  }
  function controls() {
    $("cameras").replaceChildren(...keyframes()[state.keyframe].cameras.map((c) =>
      button(c.channel, c === image, () => go({ channel: c.channel }))));
    const names = available();
    if (!names.includes(state.layer)) state.layer = "depth";
    $("layers").replaceChildren(...names.map((name) => button(TITLES[name], name === state.layer, () => go({ layer: name }))));
    $("time").max = keyframes().length - 1;
    $("time").value = state.keyframe;
    const k = keyframes()[state.keyframe];
    $("clock").textContent = `${k.time_s.toFixed(2)} s · keyframe ${state.keyframe + 1} of ${keyframes().length}`;
    $("clock").title = `sample ${k.token}`;
    $("file").textContent = image.filename;
    $("legend").innerHTML = draw.legendOf(state.layer, layers);
  }

  function paint() {
    for (const [id, name] of [["left", "image"], ["right", state.layer]]) {
      const canvas = $(id), alone = state.side || name === "image";
      canvas.width = layers.width;
      canvas.height = layers.height;
      const context = canvas.getContext("2d");
      if (name === "image" || !alone) context.drawImage(layers.image, 0, 0, layers.width, layers.height);
      if (name === "image") continue;
      const over = new OffscreenCanvas(layers.width, layers.height);
      over.getContext("2d").putImageData(draw.draw(layers, name, alone ? 255 : 0), 0, 0);
      context.globalAlpha = alone ? 1 : state.opacity;
      context.drawImage(over, 0, 0);
    }
    $("pair").classList.toggle("side", state.side);
    for (const id of ["left", "right"]) $(id).dataset.shown = `${state.scene}/${state.keyframe}/${image.channel}/${state.layer}`;
  }

  function cloudOptions() {
    return { keyframe: state.keyframe, compensated: $("compensated").checked, colour: $("colour").value, boxes: $("boxes").checked };
  }

  async function go(change) {
    const wasScene = state.scene, mine = ++latest;
    Object.assign(state, change);
    state.keyframe = Math.min(state.keyframe, keyframes().length - 1);
    const next = chosenImage(), decoded = await decode(next);
    if (mine !== latest) return;
    [image, layers] = [next, decoded];
    state.channel = image.channel;
    controls();
    paint();
    if (cloud && scenes[state.scene].cloud) {
      if (state.scene !== wasScene || change.start) {
        await cloud.load(scenes[state.scene].cloud, read);
        cloud.size(Number($("size").value));
        cloud.look(image, false);
      }
      cloud.frustum(image);
      cloud.show(cloudOptions());
    }
    if (change.start) document.body.dataset.readyMs = Math.round(performance.now());
  }

  function hover(event) {
    const box = event.target.getBoundingClientRect();
    const col = Math.floor(((event.clientX - box.left) * layers.width) / box.width);
    const row = Math.floor(((event.clientY - box.top) * layers.height) / box.height);
    const out = $("readout");
    if (col < 0 || row < 0 || col >= layers.width || row >= layers.height) return;
    const i = row * layers.width + col, depth_m = layers.depth[i] / legend.steps_per_m, words = [`u ${col}, v ${row}`];
    out.dataset.u = col; out.dataset.v = row; out.dataset.depthM = depth_m;
    const number = (m, digits) => `${m.toFixed(digits)} m`;
    words.push(`<b>${depth_m ? number(depth_m, 3) : "no depth"}</b>`);
    if (depth_m) {
      words.push((legend.source[layers.source[i]] || { words: `source ${layers.source[i]}` }).words);
      if (layers.age && draw.coarse(layers, layers.age, i)) words.push(ageWords(draw.coarse(layers, layers.age, i) - 1));
      if (layers.confidence && draw.coarse(layers, layers.confidence, i)) words.push(`confidence ${(draw.coarse(layers, layers.confidence, i) / 255).toFixed(2)}`);
    }
    if (layers.truth) {
      const exact_m = layers.truth[i] / legend.truth_steps_per_m;
      words.push(exact_m ? `exact ${number(exact_m, 2)}` : "exact: no surface");
      if (exact_m && depth_m) words.push(`error ${depth_m > exact_m ? "+" : "−"}${number(Math.abs(depth_m - exact_m), 2)}`);
    }
    out.innerHTML = words.map((w) => `<span>${w}</span>`).join("");
  }
  function ageWords(k) {
    const e = legend.age.edges_s, last = e.length;
    if (k === last / 2) return "at exposure";
    const [from, to] = k < last / 2 ? [-e[k], k ? -e[k - 1] : null] : [e[k - 1], k < last ? e[k] : null];
    return `${to === null ? `more than ${from}` : `${from} to ${to}`} s ${k < last / 2 ? "before" : "after"}`;
  }

  $("scene").replaceChildren(...scenes.map((s, i) => new Option(s.name, i)));
  $("scene").onchange = () => go({ scene: Number($("scene").value) });
  $("time").oninput = () => go({ keyframe: Number($("time").value) });
  $("opacity").oninput = () => { state.opacity = Number($("opacity").value); paint(); };
  $("side").onchange = () => go({ side: $("side").checked });
  for (const id of ["compensated", "colour", "boxes"]) $(id).onchange = () => cloud.show(cloudOptions());
  $("size").oninput = () => cloud.size(Number($("size").value));
  $("above").onclick = () => cloud.look(image, false);
  $("through").onclick = () => cloud.look(image, true);
  for (const id of ["left", "right"]) $(id).onpointermove = hover;
  $("play").onclick = () => {
    if (playing) { clearInterval(playing); playing = null; }
    else playing = setInterval(() => go({ keyframe: (state.keyframe + 1) % keyframes().length }), 500);
    $("play").textContent = playing ? "❚❚" : "▶";
  };
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) go({ keyframe: (state.keyframe + step + keyframes().length) % keyframes().length });
    if (event.key === " ") { event.preventDefault(); $("play").click(); }
  });
  if (!cloud || !scenes.some((s) => s.cloud)) {
    $("space").classList.add("without");
    $("why").textContent = cloud ? "Written without the cloud." : "This browser has no WebGL, so the cloud is not shown.";
  }
  if (!keyframes()[0].cameras.some((c) => c.channel === state.channel))
    state.channel = (keyframes()[0].cameras.find((c) => c.channel === "CAM_FRONT") || keyframes()[0].cameras[0]).channel;
  await go({ start: true });
})();
