// https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/
SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  persistAuthorization: true,
  // The validator badge would send the document to another host.
  validatorUrl: null,
});
