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
      part("errors"),
      specSelectors.securityDefinitions() && createElement("div", { className: "key-bar" }, part("AuthorizeBtnContainer")),
      createElement("h2", null, "Requests"),
      part("operations"),
    );
  };
  return { components: { Layout } };
}

window.SwaggerUIBundle({
  domNode: root,
  url: root.dataset.url,
  plugins: [layout],
  layout: "Layout",
  docExpansion: "list",
  validatorUrl: null,
});
