/** The page's style sheet: light and dark by the reader's setting, one column on a telephone. */
export const style = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --ink: #1b2330; --soft: #5d6878; --line: #dfe3e9;
  --training: #2f6fde; --evaluation: #d9730d; --hit: #2f8f5b; --miss: #d64545; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1a2029; --ink: #e6eaf0; --soft: #97a3b4;
  --line: #2d3643; --training: #6ea2ff; --evaluation: #ffab57; --hit: #3fae74; --miss: #ef6b6b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { margin: 0 0 2px; font-size: 26px; line-height: 1.25; }
h2 { margin: 0 0 10px; font-size: 16px; }
p { margin: 0; }
.lead { color: var(--soft); margin-bottom: 20px; }
.failure { border-left: 4px solid var(--miss); padding: 10px 14px; margin-bottom: 20px; background: var(--card); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 0 0 16px; }
.figures div, section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.figures div { padding: 10px 14px; }
.figures dt { color: var(--soft); font-size: 13px; }
.figures dd { margin: 0; font-size: 21px; font-weight: 600; font-variant-numeric: tabular-nums; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; margin-bottom: 16px;
  align-items: start; }
section { padding: 14px 16px; margin-bottom: 16px; min-width: 0; }
.pair section { margin-bottom: 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
svg path { fill: none; }
.frame { stroke: var(--soft); }
.grid { stroke: var(--line); }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
polyline.training { stroke: var(--training); }
polyline.evaluation { stroke: var(--evaluation); stroke-dasharray: 4 3; }
circle.evaluation { fill: var(--evaluation); }
.legend { display: flex; gap: 18px; color: var(--soft); font-size: 13px; }
.legend i { display: inline-block; width: 18px; height: 3px; margin-right: 6px; vertical-align: middle; border-radius: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); font-size: 13px; padding-bottom: 6px; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; }
thead th { color: var(--soft); font-size: 13px; }
tr > :first-child { text-align: left; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600; }
.confusion th, .confusion td { padding: 5px 4px; text-align: center; border: 1px solid var(--card); }
.confusion tbody th { text-align: left; padding-right: 8px; }
.upright thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; vertical-align: top; }
.confusion .none { color: var(--soft); opacity: .55; }
.confusion .hit { background: color-mix(in srgb, var(--hit) calc(var(--heat) * 55%), transparent); }
.confusion .miss { background: color-mix(in srgb, var(--miss) calc(12% + var(--heat) * 75%), transparent); }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; }
dl.facts dt { color: var(--soft); }
dl.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
@media (max-width: 560px) { main { padding: 16px 10px 32px; } section { padding: 12px 10px; }
  .figures { grid-template-columns: 1fr 1fr; gap: 8px; } table { font-size: 12.5px; } thead th { font-size: 12px; } th, td { padding: 4px 3px; }
  .confusion { font-size: 12px; } .confusion th, .confusion td { padding: 4px 2px; }
  dl.facts { grid-template-columns: 1fr; gap: 0; } dl.facts dd { margin-bottom: 8px; } }
@media print { body { background: #fff; } section { break-inside: avoid; } }
`;
