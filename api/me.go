package api

import (
	"context"
	"net/http"
)

// Me describes the login of a request.
type Me struct {
	Name     string `json:"name" example:"anna" doc:"The name of the login, as the audit has it."`
	ReadOnly bool   `json:"read_only" example:"false" doc:"Whether it may only read."`
	IsOMS    bool   `json:"is_oms" example:"false" doc:"Whether OMS uses this login, too."`
}

type meOutput struct{ Body Me }

func meRoute() route {
	return route{reader, http.MethodGet, "/admin/v1/me", typed(me), doc{id: "get-me", tag: tagLogin, summary: "Read the login of the request", errors: badInput,
		text: "The login of OMS gets 403 where admins have logins of their own."}}
}

func me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	who, _ := ctx.Value(actorContextKey{}).(actor)
	return &meOutput{Me{Name: who.name, ReadOnly: who.readOnly, IsOMS: who.isOMS}}, nil
}
