// The page: what is chosen, what is shown of it, and what the mouse points at.
"use strict";
(async () => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const { legend, scenes } = content, $ = (id) => document.getElementById(id);
  // The page goes on arriving while its first picture is shown; an element that something follows is whole.
  const arrived = (element) => element && (element.nextSibling || document.readyState !== "loading");
  async function read(part) {
    while (!arrived($(part))) {
      if (document.readyState !== "loading") throw new Error(`${part} is not in this page`);
      await new Promise((done) => setTimeout(done, 30));
    }
    return $(part).textContent;
  }
  const draw = pictures(legend), cloud = cloudView($("cloud"), legend);
  const TITLES = content.layers;
  const state = { scene: 0, keyframe: 0, channel: null, layer: "measured", opacity: 0.75, side: false, mosaic: false };
  const zoom = zoomable([$("left"), $("right")], () => { paint(); share(); });
  let layers = null, image = null, playing = false, latest = 0, sharing = null;
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
      const text = await read(`${part.part}-${name}`);
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
    name === "completed" ? layers.source.includes(5) : name === "error" ? layers.truth
      : name === "measured" ? layers.depth : layers[name]);

  function button(text, pressed, onclick) {
    const b = document.createElement("button");
    b.textContent = text;
    b.setAttribute("aria-pressed", pressed);
    b.onclick = onclick;
    return b;
  }
  function controls() {
    const cameras = keyframes()[state.keyframe].cameras;
    const along = ["cameras", "layers"].map((id) => [$(id), $(id).scrollLeft]);
    $("cameras").replaceChildren(...cameras.map((c) =>
      button(c.channel, c === image && !state.mosaic, () => go({ channel: c.channel, mosaic: false }))));
    if (cameras.length > 1) $("cameras").append(button("all", state.mosaic, () => go({ mosaic: !state.mosaic })));
    const names = available();
    if (!names.includes(state.layer)) state.layer = "measured";
    $("layers").replaceChildren(...names.map((name) => button(TITLES[name], name === state.layer, () => go({ layer: name }))));
    for (const [row, x] of along) {
      row.scrollLeft = x;
      const chosen = row.querySelector("[aria-pressed=true]"), to = chosen && chosen.offsetLeft + chosen.offsetWidth - row.offsetLeft;
      if (to > row.scrollLeft + row.clientWidth) row.scrollLeft = to - row.clientWidth;
    }
    $("time").max = keyframes().length - 1;
    $("time").value = state.keyframe;
    const k = keyframes()[state.keyframe];
    $("clock").textContent = `${k.time_s.toFixed(2)} s · keyframe ${state.keyframe + 1} of ${keyframes().length}`;
    $("clock").title = `sample ${k.token}`;
    $("file").textContent = image.filename;
    $("legend").innerHTML = draw.legendOf(state.layer, layers);
    for (const b of $("places").querySelectorAll("button")) b.setAttribute("aria-pressed", b.dataset.key === placeKey());
  }

  // A layer of an image over a context of the image's size, which may be moved and enlarged.
  function compose(context, of, name, alone) {
    if (name === "image" || !alone) context.drawImage(of.image, 0, 0, of.width, of.height);
    if (name === "image") return;
    const over = new OffscreenCanvas(of.width, of.height);
    over.getContext("2d").putImageData(draw.draw(of, name, alone ? 255 : 0), 0, 0);
    context.globalAlpha = alone ? 1 : state.opacity;
    context.drawImage(over, 0, 0);
    context.globalAlpha = 1;
  }

  function paint() {
    zoom.fit(layers.width, layers.height);
    for (const [id, name] of [["left", "image"], ["right", state.layer]]) {
      const canvas = $(id), alone = state.side || name === "image";
      canvas.width = layers.width;
      canvas.height = layers.height;
      const context = canvas.getContext("2d");
      zoom.apply(context);
      compose(context, layers, name, alone);
    }
    $("pair").classList.toggle("side", state.side);
    $("pair").hidden = state.mosaic;
    $("whole").disabled = zoom.view.zoom === 1;
    $("zoom").textContent = `${zoom.view.zoom.toFixed(1)}×`;
    for (const id of ["left", "right"]) {
      $(id).dataset.shown = `${state.scene}/${state.keyframe}/${image.channel}/${state.layer}`;
      $(id).setAttribute("aria-label", `${id === "left" ? "Image" : TITLES[state.layer]} of ${image.channel}`);
    }
  }

  // Every camera of the keyframe, as many beside each other as there is room for.
  async function mosaic() {
    $("mosaic").hidden = !state.mosaic;
    if (!state.mosaic) return $("mosaic").replaceChildren();
    const mine = latest, tiles = [];
    for (const camera of keyframes()[state.keyframe].cameras) {
      const of = await decode(camera), canvas = document.createElement("canvas"), tile = button("", false, () => go({ channel: camera.channel, mosaic: false }));
      if (mine !== latest) return;
      canvas.width = of.width;
      canvas.height = of.height;
      const there = state.layer === "error" ? of.truth : state.layer === "measured" || state.layer === "completed" ? of.depth : of[state.layer];
      compose(canvas.getContext("2d"), of, there ? state.layer : "image", state.side);
      tile.removeAttribute("aria-pressed");
      tile.append(canvas, camera.channel);
      tiles.push(tile);
    }
    $("mosaic").replaceChildren(...tiles);
    $("mosaic").dataset.shown = `${state.scene}/${state.keyframe}/${state.layer}`;
  }

  // Where to look first; told by the page's writer.
  const placeKey = (place) => place ? `${place.keyframe}/${place.channel}/${place.u}/${place.v}` : $("places").dataset.key;
  function listPlaces() {
    const { places, places_are } = scenes[state.scene];
    $("worst").hidden = !places.length;
    $("places-are").textContent = places_are;
    $("places").replaceChildren(...places.map((place) => {
      const item = document.createElement("li");
      item.append(button(`${place.channel}, ${keyframes()[place.keyframe].time_s.toFixed(1)} s: ${place.pixels} px`, false, () => {
        $("places").dataset.key = placeKey(place);
        go({ keyframe: place.keyframe, channel: place.channel, layer: place.layer, mosaic: false, place });
      }));
      item.firstChild.dataset.key = placeKey(place);
      return item;
    }));
  }

  // The address of what is shown, to be sent with the page.
  function share() {
    const { zoom: z, u, v } = zoom.view, words = { scene: scenes[state.scene].name, keyframe: state.keyframe, camera: state.channel, layer: state.layer };
    if (state.mosaic) words.all = 1;
    if (state.side) words.side = 1;
    if (z > 1) Object.assign(words, { zoom: z.toFixed(2), u: Math.round(u), v: Math.round(v) });
    const address = `#${new URLSearchParams(words)}`;
    $("link").href = address;
    // Browsers limit how often it may change; while it plays it stays.
    clearTimeout(sharing);
    if (!playing) sharing = setTimeout(() => {
      try { history.replaceState(null, "", address); } catch { /* some forbid it in a file */ }
    }, 400);
  }
  function shared() {
    const words = new URLSearchParams(location.hash.slice(1)), found = {};
    const scene = scenes.findIndex((s) => s.name === words.get("scene"));
    if (scene >= 0) found.scene = scene;
    if (Number.isInteger(+words.get("keyframe"))) found.keyframe = Math.max(0, +words.get("keyframe"));
    if (words.get("camera")) found.channel = words.get("camera");
    if (words.get("layer") in TITLES) found.layer = words.get("layer");
    if (words.has("all")) found.mosaic = true;
    if (words.has("side")) found.side = $("side").checked = true;
    if (+words.get("zoom") > 1) found.seen = [+words.get("zoom"), +words.get("u") || 0, +words.get("v") || 0];
    return found;
  }

  function cloudOptions() {
    return { keyframe: state.keyframe, compensated: $("compensated").checked, colour: $("colour").value, boxes: $("boxes").checked,
      tracks: $("tracks").checked, shapes: $("shapes").checked, grid: $("grid").checked, voxels: $("voxels").value };
  }

  // Voxels are offered where the scene has some; their key names its classes.
  function listVoxels() {
    const { voxels } = scenes[state.scene].cloud;
    $("shows").hidden = !voxels;
    if (!voxels) $("voxels").value = "";
    $("voxel-key").replaceChildren(...cloud.keyOf(voxels || []).map(({ colour, words }) => {
      const item = document.createElement("li"), mark = document.createElement("b");
      mark.style.background = `rgb(${colour})`;
      item.append(mark, words);
      return item;
    }));
    keys();
  }
  // Votes are offered where the scene has some.
  function listVotes() {
    const option = $("colour").querySelector("[value=vote]"), there = !!scenes[state.scene].cloud.votes;
    option.hidden = option.disabled = !there;
    if (!there && $("colour").value === "vote") $("colour").value = "source";
    const { colours, steps } = legend.votes;
    $("vote-key").replaceChildren(...[[0, "stands"], [0.25, ""], [0.5, "undecided"], [0.75, ""], [1, "moves, says the vote"]].map(([p, words]) => {
      const item = document.createElement("li"), mark = document.createElement("b");
      mark.style.background = `rgb(${colours[Math.round(p * steps)]})`;
      item.append(mark, words);
      return item;
    }));
  }
  function keys() {
    const by = $("voxels").value;
    $("voxel-key").hidden = by !== "class";
    const vote = $("colour").value === "vote";
    $("vote-key").hidden = !vote || !!by;
    $("cloud-key").hidden = vote || !!by;
  }

  async function go(change) {
    const wasScene = state.scene, mine = ++latest, { place, seen, ...rest } = change;
    Object.assign(state, rest);
    if (!place) $("places").dataset.key = "";
    state.keyframe = Math.min(state.keyframe, keyframes().length - 1);
    const next = chosenImage(), decoded = await decode(next);
    if (mine !== latest) return;
    [image, layers] = [next, decoded];
    state.channel = image.channel;
    if (state.scene !== wasScene || change.start) listPlaces();
    zoom.fit(layers.width, layers.height);
    if (place) zoom.show(place.u, place.v, place.width, place.height);
    if (seen) zoom.set(...seen);
    controls();
    paint();
    if (change.start) document.body.dataset.pictureMs = Math.round(performance.now());
    share();
    await mosaic();
    if (cloud && scenes[state.scene].cloud) {
      if (state.scene !== wasScene || change.start) {
        await cloud.load(scenes[state.scene].cloud, read);
        listVotes();
        listVoxels();
        cloud.size(Number($("size").value));
        cloud.look(image, "behind");
      }
      cloud.frustum(image);
      await cloud.show(cloudOptions());
    }
    if (change.start) document.body.dataset.readyMs = Math.round(performance.now());
  }

  function hover(event) {
    const [col, row] = zoom.at(event.target, event.clientX, event.clientY).map(Math.floor);
    const out = $("readout");
    if (col < 0 || row < 0 || col >= layers.width || row >= layers.height) return;
    const i = row * layers.width + col, depth_m = layers.depth[i] / legend.steps_per_m, words = [`u ${col}, v ${row}`];
    out.dataset.u = col; out.dataset.v = row; out.dataset.depthM = depth_m;
    const number = (m, digits) => `${m.toFixed(digits)} m`;
    words.push(`<b>${depth_m ? number(depth_m, 3) : "no depth"}</b>`);
    if (depth_m) {
      words.push((legend.source[layers.source[i]] || { words: `source ${layers.source[i]}` }).words);
      if (layers.age && draw.coarse(layers, layers.age, i)) words.push(ageWords(draw.coarse(layers, layers.age, i) - 1));
      if (layers.uncertainty && draw.coarse(layers, layers.uncertainty, i))
        words.push(`uncertainty ${number(legend.uncertainty.metres[draw.coarse(layers, layers.uncertainty, i)], 2)}`);
      if (layers.confidence && draw.coarse(layers, layers.confidence, i)) words.push(`confidence ${(draw.coarse(layers, layers.confidence, i) / 255).toFixed(2)}`);
    }
    if (layers.truth) {
      const exact_m = layers.truth[i] / legend.truth_steps_per_m;
      words.push(exact_m ? `ground truth ${number(exact_m, 2)}` : "ground truth: no surface");
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
  $("shapes-choice").hidden = !scenes.some((s) => s.cloud && s.cloud.labels.length);
  $("scene").onchange = () => go({ scene: Number($("scene").value) });
  $("time").oninput = () => go({ keyframe: Number($("time").value) });
  const told = (id, words) => { $(`${id}-value`).textContent = words($(id).value); };
  const settings = () => { told("opacity", (x) => `${Math.round(100 * x)} %`); told("size", (x) => `${Number(x).toFixed(1)} px`); };
  $("opacity").oninput = () => { state.opacity = Number($("opacity").value); settings(); paint(); mosaic(); };
  $("side").onchange = () => go({ side: $("side").checked });
  for (const id of ["compensated", "colour", "boxes", "tracks", "shapes", "grid", "voxels"]) $(id).onchange = () => { keys(); cloud.show(cloudOptions()); };
  $("size").oninput = () => { settings(); cloud.size(Number($("size").value)); };
  for (const from of ["behind", "above", "through"]) $(from).onclick = () => cloud.look(image, from);
  $("reset").onclick = () => {
    for (const id of ["compensated", "boxes", "tracks", "shapes", "grid"]) $(id).checked = $(id).defaultChecked;
    $("colour").value = "source";
    $("voxels").value = "";
    keys();
    $("size").value = $("size").defaultValue;
    $("size").oninput();
    cloud.show(cloudOptions());
    cloud.look(image, "behind");
  };
  for (const id of ["left", "right"]) for (const name of ["pointermove", "pointerdown"]) $(id).addEventListener(name, hover);
  $("nearer").onclick = () => zoom.step(1.5);
  $("farther").onclick = () => zoom.step(1 / 1.5);
  $("whole").onclick = zoom.whole;
  addEventListener("hashchange", () => go(shared()));
  settings();
  $("worst").open = !matchMedia("(max-width: 700px)").matches;
  $("play").onclick = () => {
    playing = !playing;
    $("play").textContent = playing ? "❚❚" : "▶";
    if (playing) play();
    else share();
  };
  // The next keyframe once the one before is drawn, however long that takes.
  async function play() {
    while (playing) {
      await go({ keyframe: (state.keyframe + 1) % keyframes().length });
      if (cloud) await cloud.drawn();
      await new Promise((done) => setTimeout(done, 500));
    }
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select")) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) go({ keyframe: (state.keyframe + step + keyframes().length) % keyframes().length });
    if (event.key === " " && !event.target.matches("button, a")) { event.preventDefault(); $("play").click(); }
    if (event.key === "+" || event.key === "-") zoom.step(event.key === "+" ? 1.5 : 1 / 1.5);
    if (event.key === "0") zoom.whole();
  });
  if (!cloud || !scenes.some((s) => s.cloud)) {
    $("space").classList.add("without");
    $("why").textContent = cloud ? "Written without the cloud." : "This browser has no WebGL, so the cloud is not shown.";
  }
  state.channel = (keyframes()[0].cameras.find((c) => c.channel === "CAM_FRONT") || keyframes()[0].cameras[0]).channel;
  await go({ ...shared(), start: true });
})();
