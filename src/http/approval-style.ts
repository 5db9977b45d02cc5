/**
 * The style of the page behind an approval link. Big enough to touch; nothing is fetched for it. Each
 * line of a text reads in its own direction: https://www.w3.org/TR/css-writing-modes-3/#valdef-unicode-bidi-plaintext
 */
export const APPROVAL_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fcfbf8; --panel: #f3f1ea; --ink: #1f2426; --quiet: #5d6462; --line: #d3cebf;
  --focus: #0b5f80; --yes: #1d6b45; --no: #a32d1c; --on: #ffffff; --warn: #fbe9c8;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15191b; --panel: #1d2325; --ink: #e2e6e4; --quiet: #a0aaa7; --line: #3a4345;
    --focus: #7dc0dd; --yes: #79c79c; --no: #f0917f; --on: #101415; --warn: #4a3a14;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 "Avenir Next", Avenir, "Segoe UI", "Noto Sans", "Helvetica Neue", sans-serif;
}
main { max-width: 44rem; margin: 0 auto; padding: 1.4rem 1.1rem 4rem; }
.brand { margin: 0 0 1.6rem; font-size: .9rem; color: var(--quiet); }
.lamps { display: inline-flex; gap: .28rem; margin-right: .5rem; }
.lamps i { width: .6rem; height: .6rem; border-radius: 50%; background: #c8432f; }
.lamps i + i { background: #d99a1c; }
.lamps i + i + i { background: #2f8f5b; }
h1, h2 { line-height: 1.25; font-weight: 600; overflow-wrap: anywhere; }
h1 { margin: 0 0 .3rem; font-size: 1.6rem; letter-spacing: -.01em; }
h2 { margin: 2.2rem 0 .5rem; font-size: 1.1rem; }
p { margin: .5em 0; }
.state { margin: 0 0 1.2rem; color: var(--quiet); }
.notice { margin: 1.2rem 0; padding: .8rem 1rem; background: var(--panel); border-left: 4px solid var(--yes); }
.notice.wrong { background: var(--warn); border-color: var(--no); }
.notice p { margin: 0; }
dl { margin: 0; border-bottom: 1px solid var(--line); }
dl > div { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: 0 1rem; padding: .5rem 0; border-top: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.names dt { font-family: var(--mono); font-size: .88rem; overflow-wrap: anywhere; }
code, pre { font-family: var(--mono); font-size: .88rem; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
pre > bdi { display: block; unicode-bidi: plaintext; }
small { color: var(--quiet); font-size: .85rem; }
ol { margin: 0; padding-left: 1.3rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
form { margin-top: 2.2rem; padding: 1.1rem 1.1rem 1.3rem; background: var(--panel); border: 1px solid var(--line); }
form h2 { margin-top: 0; }
label { display: block; margin: 1rem 0 .3rem; font-weight: 600; }
label small { font-weight: 400; }
input, textarea {
  display: block; width: 100%; min-height: 2.9rem; padding: .6rem .7rem; font: inherit;
  color: inherit; background: var(--ground); border: 1px solid var(--quiet); border-radius: 3px;
}
textarea { min-height: 5.5rem; resize: vertical; unicode-bidi: plaintext; }
[aria-invalid="true"] { border: 2px solid var(--no); }
.fault { margin: .3rem 0 0; color: var(--no); font-weight: 600; }
.buttons { display: flex; flex-wrap: wrap; gap: .8rem; margin-top: 1.3rem; }
button {
  flex: 1 1 9rem; min-height: 3rem; padding: .6rem 1.2rem; font: inherit; font-weight: 600;
  border: 2px solid var(--yes); border-radius: 3px; background: var(--yes); color: var(--on); cursor: pointer;
}
button.no { background: transparent; border-color: var(--no); color: var(--no); }
button[hidden] { display: none; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
form .state { margin: 1rem 0 0; font-size: .88rem; }
@media (max-width: 34rem) {
  h1 { font-size: 1.35rem; }
  dl > div { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
}
@media print { form { display: none; } }
`;
