export {
  BufferAttribute, BufferGeometry, Color, ColorManagement, LineBasicMaterial, LineSegments, Group, Mesh,
  MeshBasicMaterial, PerspectiveCamera, Points, PointsMaterial, Scene, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
