package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"relay/db/seed"
	"relay/deploy/dev/harness"
	"relay/deploy/sandbox/vendors"
	"relay/internal/ops"
	"relay/internal/relay"
)

// markNumber is a number that occurs nowhere by chance.
const markNumber = "4711888877776666"

// readerLine is a read-only login: it may see events, but no personal data.
const readerLine = "rita:$2a$10$TjfHK8eFFqqkTPCowmXxnuLUq/9WeSTlIOY6NOtTVzK3k8NZ30TT2:read-only\n"

// sentToContainer are the fields of a marked event that arrive at a container of client ga4 under default options, by the names
// under which marked plants them.
var sentToContainer = []string{"coupon", "gclid", "utm_campaign"}

// personal holds names of personal data in payloads of shops.
var personal = strings.Fields(`patient_name patientName diagnosis icd10 mrn medication dosage symptoms allergies insurance_id member_id ssn
	passport driver_license mobile cell fax phone2 customer_ip remote_addr x_forwarded_for forwarded_for billing_address_1 billing.email
	shipping_address street_line_2 apartment zip4 county latitude longitude geo dob birth_year age sex pronouns ethnicity religion password
	token secret api_key session cookie visitor_id device_id idfa gaid fbp fbc gclid wbraid ttclid epik ScCid sc_click_id li_fat_id msclkid
	utm_campaign utm_term utm_content coupon affiliate_id affiliate t-value page_title page_referrer referrer search_term query comment notes
	message free_text answer_1 question_1 quiz prescription_id doctor pharmacy clinic_name provider_npi appointment weight height bmi
	family_history user_agent language timezone screen name full_name nickname company job_title emergency_contact spouse`)

// marked returns a payload with a mark under each of 200 names, in every type, and under some of them again in lists of objects, three
// levels deep: as much as an event may hold.
func marked(depth int) map[string]any {
	fields := map[string]any{}
	names := personal
	for n := 0; len(names) < 200; n++ {
		names = append(names[:len(names):len(names)], fmt.Sprintf("field_%d_of_%d", n, depth))
	}
	if depth < 2 {
		names = names[len(personal)-40+20*depth:][:40]
	}
	for i, name := range names {
		mark := markPayload + " " + name
		switch {
		case i%5 < 2 || depth == 2:
			fields[name] = mark
		case i%5 == 2:
			fields[name] = json.Number(markNumber)
		case i%5 == 3:
			fields[name] = map[string]any{"value": mark, "currency": mark, "marker-key " + name: true}
		default:
			fields[name] = []any{mark, map[string]any{"name": mark, "quantity": json.Number(markNumber)}}
		}
	}
	if depth > 0 {
		for _, holder := range []string{"items", "custom_data"} {
			fields[holder] = []any{marked(depth - 1)}
		}
	}
	return fields
}

// TestTwoHundredMarksAreOnlyWhereTheyAreAllowed sends marked events to containers of both clients and to the five platforms,
// through the API and as rows, and searches for the marks in attempts, in responses to a read-only login, in the output of the command line,
// in logs, metrics and traces, and in Temporal.
func TestTwoHundredMarksAreOnlyWhereTheyAreAllowed(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "admins")
	require.NoError(t, os.WriteFile(users, []byte(readerLine), 0o600))
	w := newWatchedWorld(t, "ADMIN_USERS_FILE="+users)
	w.storefront(t, "ga4")
	custom := w.storefront(t, "custom")
	require.NoError(t, seed.On(w.Store).PutSGTM(t.Context(), custom, ops.SGTMConfig{URL: w.Sandbox.BaseURL + "/custom", ClientType: "custom", Active: true,
		Options: relay.Options{CustomAliases: true}}))
	w.simulateVendors(t)
	w.credentials(t, "vendors", relay.Options{Identifiers: "hashed"}, vendors.Codes()...)
	r := w.relay(t, "relay", "serve")

	var ids []int64
	for _, storefront := range []string{"ga4", "custom", "vendors"} {
		e := marked(2)
		for k, v := range item(storefront, storefront+"-4711") {
			e[k] = v
		}
		e["currency"], e["utm_campaign"] = "USD", markPayload+" utm_campaign"
		e["page_location"] = "https://" + storefront + ".example/marker-path?" + markPayload + "#" + markPayload
		post(t, r, harness.Item(e))
		delete(e, "event_time")
		text, err := json.Marshal(e)
		require.NoError(t, err)
		w.exec(t, insertSQL, storefront+"-4712", storefront, purchase, text)
		for _, order := range []string{"-4711", "-4712"} {
			ids = append(ids, w.ended(t, storefront+order, purchase).ID)
		}
	}
	require.Positive(t, w.count(t, "SELECT COUNT(*) FROM event_attempts WHERE request_body LIKE '%80.79%'"), "harmless values are shown")
	for _, id := range ids {
		w.requireReaderSeesNoMark(t, r, id)
	}
	w.requireContainerGotNoOther(t, sentToContainer)
}

func (w *world) requireReaderSeesNoMark(t *testing.T, r *harness.Relay, id int64) {
	t.Helper()
	reader := call{user: "rita", password: markPassword}
	for path, body := range map[string]string{
		fmt.Sprintf("/admin/v1/events/%d", id): "", "/admin/v1/events": "", "/admin/v1/stats": "", "/admin/v1/preview": fmt.Sprintf(`{"id": %d}`, id),
	} {
		reader.method, reader.path, reader.body = http.MethodGet, path, body
		if body != "" {
			reader.method = http.MethodPost
		}
		shown := ask(t, r, reader)
		require.Contains(t, shown, "200 OK", path)
		requireClean(t, path+" for a read-only login", []byte(shown))
	}
	requireClean(t, "the command line", []byte(w.cliAs(t, r, "rita", "events", "show", fmt.Sprint(id))))
	requireClean(t, "the command line", []byte(w.cliAs(t, r, "rita", "preview", "--id", fmt.Sprint(id))))
}

// requireContainerGotNoOther checks the requests at the container of client ga4: of the marks, they hold only those of
// allowed names.
func (w *world) requireContainerGotNoOther(t *testing.T, allowed []string) {
	t.Helper()
	got := w.requests(t, "/ga4/")
	require.NotEmpty(t, got)
	for _, request := range got {
		text := fmt.Sprint(request.Path, request.Query, request.Headers, request.Body)
		for _, name := range allowed {
			text = strings.ReplaceAll(text, markPayload+" "+name, "")
		}
		requireWithout(t, "the container's requests", []byte(text), []string{markPayload, markNumber, "marker-key", markEmail, markName})
	}
}
