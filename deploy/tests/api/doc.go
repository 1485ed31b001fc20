// Package apitest holds tests that use the API as its clients do, with tools that the production module must not depend on:
// a client that oapi-codegen generates from the OpenAPI document, and a browser on the page at /docs. The linter of the
// document (lint.sh) is here, too.
package apitest
