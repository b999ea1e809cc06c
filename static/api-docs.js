// Draws the API's document with Swagger UI, whose bundle is loaded before this module runs.

const root = document.querySelector("#swagger-ui");

// The stock layout brings a second h1 and a second main; this one leaves both to the page.
function layout({ React }) {
  const { createElement } = React;
  const Layout = ({ getComponent, specSelectors }) => {
    const part = (name) => createElement(getComponent(name, true));
    if (specSelectors.loadingStatus() === "loading") return createElement("p", null, "Reading the document.");
    return createElement(
      "div",
      { className: "swagger-ui" },
      part("SvgAssets"),
      createElement("h2", null, "Requests"),
      part("errors"),
      specSelectors.securityDefinitions() && createElement("div", { className: "key-bar" }, part("AuthorizeBtnContainer")),
      part("operations"),
    );
  };
  return { components: { Layout } };
}

// Swagger UI leaves these without a name for a screen reader; they get one as they appear.
const NAMES = {
  ".close-modal": () => "Close",
  'input[type="file"]': (field) => field.closest("[data-property-name]")?.dataset.propertyName ?? "File",
  '[role="region"]': (region) => `Responses, ${region.id.replaceAll("_", " ")}`,
};

function nameAll() {
  for (const [selector, name] of Object.entries(NAMES))
    for (const element of root.querySelectorAll(`${selector}:not([aria-label])`)) element.setAttribute("aria-label", name(element));
}

new MutationObserver(nameAll).observe(root, { childList: true, subtree: true });

window.SwaggerUIBundle({
  domNode: root,
  url: root.dataset.url,
  plugins: [layout],
  layout: "Layout",
  docExpansion: "list",
  validatorUrl: null,
});
