package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var staticFiles embed.FS

// assets are the files that pages load. Their names have a digest of their content, so that browsers keep them for good.
type assets struct {
	names map[string]string // app.css: app.0123456789ab.css
	files map[string][]byte // by the name with the digest
}

// embedded are the assets of this program.
var embedded = sync.OnceValue(func() assets {
	a := assets{map[string]string{}, map[string][]byte{}}
	list, _ := staticFiles.ReadDir("static") // it is embedded
	for _, f := range list {
		body, _ := staticFiles.ReadFile("static/" + f.Name())
		sum := sha256.Sum256(body)
		ext := path.Ext(f.Name())
		name := strings.TrimSuffix(f.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.names[f.Name()], a.files[name] = name, body
	}
	return a
})

// path is the address of a file.
func (a assets) path(name string) string { return base + "static/" + a.names[name] }

var assetTypes = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func (a assets) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	body, ok := a.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", assetTypes[path.Ext(name)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body) // who asked is gone
}
