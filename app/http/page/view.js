/** The part of a picture that a frame shows: its centre as shares of the picture, and how much it is enlarged. */

export const CENTRE = { x: 0.5, y: 0.5, zoom: 1 };
export const MOST_ZOOM = 8;

/** Return the part `{x, y, width, height}` of a picture in its pixels; `ratio` is the frame's width over its height. */
export function shownPart({ width, height }, ratio, { x, y, zoom }) {
  const most = { width: Math.min(width, height * ratio), height: Math.min(height, width / ratio) };
  const part = { width: most.width / zoom, height: most.height / zoom };
  const inside = (centre, side, whole) => Math.min(whole - side, Math.max(0, centre * whole - side / 2));
  return { x: inside(x, part.width, width), y: inside(y, part.height, height), ...part };
}

/** Return the view of an upright part around four corners (left upper, right upper, right lower, left lower) of a picture. */
export function viewOf(corners, { width, height }, ratio) {
  const [left, right, opposite] = corners;
  const across = Math.hypot(right.x - left.x, right.y - left.y);
  const zoom = Math.min(width, height * ratio) / across;
  const centre = { x: (left.x + opposite.x) / 2 / width, y: (left.y + opposite.y) / 2 / height };
  return { ...centre, zoom: Math.min(MOST_ZOOM, Math.max(1, zoom)) };
}
