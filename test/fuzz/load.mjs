/** A built module that no package exports: decoders are tried where they are, not behind what calls them. */
export function load(path) {
  return import(new URL(`../../${path}`, import.meta.url).href);
}
