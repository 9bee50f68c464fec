// Command go_floor is the floor of the benchmarks on Go's framework for providers: the address, the resource type
// and the attributes of crates/terraform-plugin/examples/floor.rs, and nothing behind them.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	providerschema "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func main() {
	options := providerserver.ServeOpts{
		Address:         "registry.terraform.io/nautes/floor",
		ProtocolVersion: 6,
	}
	newProvider := func() provider.Provider { return floor{} }
	if err := providerserver.Serve(context.Background(), newProvider, options); err != nil {
		log.Fatal(err)
	}
}

type floor struct{}

func (floor) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "floor"
}

func (floor) Schema(_ context.Context, _ provider.SchemaRequest, response *provider.SchemaResponse) {
	response.Schema = providerschema.Schema{}
}

func (floor) Configure(context.Context, provider.ConfigureRequest, *provider.ConfigureResponse) {
}

func (floor) DataSources(context.Context) []func() datasource.DataSource {
	return nil
}

func (floor) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{func() resource.Resource { return data{} }}
}

// data is a resource with the attributes of terraform_data.
type data struct{}

type model struct {
	Input           types.String `tfsdk:"input"`
	Output          types.String `tfsdk:"output"`
	TriggersReplace types.String `tfsdk:"triggers_replace"`
	ID              types.String `tfsdk:"id"`
}

func (data) Metadata(_ context.Context, request resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = request.ProviderTypeName + "_data"
}

func (data) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	response.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"input":  schema.StringAttribute{Optional: true},
			"output": schema.StringAttribute{Computed: true},
			"triggers_replace": schema.StringAttribute{
				Optional:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"id": schema.StringAttribute{
				Computed:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

func (data) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	var planned model
	response.Diagnostics.Append(request.Plan.Get(ctx, &planned)...)
	planned.Output = planned.Input
	planned.ID = types.StringValue(planned.Input.ValueString())
	response.Diagnostics.Append(response.State.Set(ctx, planned)...)
}

func (data) Read(ctx context.Context, request resource.ReadRequest, response *resource.ReadResponse) {
	var state model
	response.Diagnostics.Append(request.State.Get(ctx, &state)...)
	response.Diagnostics.Append(response.State.Set(ctx, state)...)
}

func (data) Update(ctx context.Context, request resource.UpdateRequest, response *resource.UpdateResponse) {
	var planned model
	response.Diagnostics.Append(request.Plan.Get(ctx, &planned)...)
	planned.Output = planned.Input
	response.Diagnostics.Append(response.State.Set(ctx, planned)...)
}

func (data) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {
}
