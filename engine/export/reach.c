// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/export/reach.h"

#include <string.h>

#include "engine/export/onnx.h"
#include "engine/export/written.h"
#include "engine/quant/format.h"

// ---- what they run ----

// It rounds floats of 8 bits twice (findings/openvino-rounds-float8-twice.sh).
static bool openvino_has(int format)
{
	return qdq_has(format) && format_table[format].kind != FORMAT_FLOAT;
}

// ---- writers and readers ----

static bool write_c(const struct frozen *f, const struct outgoing *how, const char *name, FILE *file, FILE *beside,
	struct fault *fault)
{
	(void)how;
	(void)beside;
	return export_c(f, name, file, fault);
}

static bool write_qdq(const struct frozen *f, const struct outgoing *how, const char *name, FILE *file, FILE *beside,
	struct fault *fault)
{
	(void)name;
	(void)beside;
	return export_qdq(f, how, file, fault);
}

static bool write_qonnx(const struct frozen *f, const struct outgoing *how, const char *name, FILE *file, FILE *beside,
	struct fault *fault)
{
	(void)name;
	(void)beside;
	return export_qonnx(f, how, file, fault);
}

static bool write_aimet(const struct frozen *f, const struct outgoing *how, const char *name, FILE *file, FILE *beside,
	struct fault *fault)
{
	(void)how;
	(void)name;
	return export_aimet(f, file, beside, fault);
}

static bool check_c(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside, struct fault *fault)
{
	(void)how;
	(void)beside;
	return export_c_check(f, path, fault);
}

static bool check_qdq(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside,
	struct fault *fault)
{
	(void)beside;
	return written_check(f, how, &dialect_qdq, path, fault);
}

static bool check_qonnx(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside,
	struct fault *fault)
{
	(void)beside;
	return written_check(f, how, &dialect_qonnx, path, fault);
}

static bool check_aimet(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside,
	struct fault *fault)
{
	return written_check(f, how, &dialect_aimet, beside, fault) && export_aimet_check(f, path, fault);
}

// ---- the table ----

// In `how`, @ is the file, and ~ the one beside it.
static const struct reach table[] = {
	{.form = "qdq",
		.reader = "ort",
		.program = "ONNX Runtime 1.32",
		.has = qdq_has,
		.lacks = "ONNX has no such type",
		.blocks = true,
		.write = write_qdq,
		.check = check_qdq,
		.folds = true,
		.how = {"options = onnxruntime.SessionOptions()",
			"options.add_session_config_entry(\"session.disable_quant_qdq\", \"1\")  # else it fuses and rounds on its own",
			"session = onnxruntime.InferenceSession(\"@\", options)"}},
	{.form = "qdq",
		.reader = "openvino",
		.program = "OpenVINO 2026.4",
		.has = openvino_has,
		.lacks = "ONNX has no such type, or it is rounded twice there",
		.write = write_qdq,
		.check = check_qdq,
		.folds = true,
		.how = {"core = openvino.Core()",
			"options = {\"INFERENCE_PRECISION_HINT\": \"f32\"}  # else it computes in bf16 where the processor can",
			"model = core.compile_model(core.read_model(\"@\"), \"CPU\", options)"}},
	{.form = "qonnx",
		.reader = "qonnx",
		.program = "qonnx 1.0",
		.has = qonnx_has,
		.lacks = "QONNX has no scales by blocks",
		.write = write_qonnx,
		.check = check_qonnx,
		.how = {"model = qonnx.core.modelwrapper.ModelWrapper(\"@\")",
			"model = model.transform(qonnx.transformation.infer_shapes.InferShapes())",
			"qonnx.core.onnx_exec.execute_onnx(model, {\"image\": image})  # a batch of 1",
			"session = onnxruntime.InferenceSession(\"@\")  # it runs the nodes' bodies, which are in the file"}},
	{.form = "qdq",
		.reader = "qonnx",
		.program = "qonnx 1.0",
		.has = qdq_has,
		.lacks = "ONNX has no such type",
		.write = write_qdq,
		.check = check_qdq,
		.folds = true,
		.clip = true,
		.how = {"model = qonnx.core.modelwrapper.ModelWrapper(\"@\")",
			"model = model.transform(qonnx.transformation.infer_shapes.InferShapes())  # else the next fails",
			"model = model.transform(qonnx.transformation.qcdq_to_qonnx.QCDQToQuant())  # widths are those of the clips"}},
	{.form = "aimet",
		.reader = "aimet",
		.program = "aimet-onnx 2.42",
		.has = aimet_has,
		.lacks = "AIMET has no such type",
		.write = write_aimet,
		.check = check_aimet,
		.beside = ".onnx",
		.how = {"sim = aimet_onnx.QuantizationSimModel(onnx.load(\"~\"))",
			"aimet_onnx.load_encodings_to_sim(sim, \"@\", strict=False)  # its own widths give way; what has no entry is switched off",
			"sim.session.run(None, {\"image\": image})"}},
	{.form = "c",
		.reader = "c",
		.program = "a C99 compiler",
		.has = export_c_has,
		.lacks = "C is written for integers of up to 8 bits",
		.write = write_c,
		.check = check_c},
};
enum { REACHES = sizeof table / sizeof *table };

static bool listed_before(int row)
{
	for (int i = 0; i < row; i++)
		if (strcmp(table[i].reader, table[row].reader) == 0)
			return true;
	return false;
}

const char *reach_words(void)
{
	static _Thread_local char words[256];
	size_t used = 0;
	for (int i = 0; i < REACHES; i++)
		if (!listed_before(i))
			used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", used ? "|" : "", table[i].reader);
	return words;
}

const struct reach *reach_of(const char *form, const char *reader, struct fault *fault)
{
	char known[256] = "";
	size_t used = 0;
	for (int i = 0; i < REACHES; i++) {
		if (form && strcmp(table[i].form, form) != 0)
			continue;
		if (!reader || strcmp(table[i].reader, reader) == 0)
			return &table[i];
		if (form || !listed_before(i))
			used += (size_t)snprintf(known + used, sizeof known - used, "%sreach=%s", used ? ", " : "",
				table[i].reader);
	}
	fault_set(fault, reader, known, "no %s is written for such a reader", form ? form : "network");
	return NULL;
}

static bool runs_layer(const struct frozen *f, const struct reach *reach, int layer, struct fault *fault)
{
	const struct layer_plan *plan = &f->layer[layer].format;
	const int format[] = {plan->weight, plan->activation};
	for (int h = 0; h < 2; h++)
		if (!(h == 0 && reach->blocks && format_table[format[h]].block) && !reach->has(format[h]))
			return fault_set(fault, f->model->layer[layer].name, "pin it to int8, or name another reader",
				"%s does not run %s, the format of its %s: %s", reach->program, format_table[format[h]].name,
				h ? "inputs" : "weights", reach->lacks);
	return true;
}

bool reach_write(const struct frozen *f, const struct outgoing *how, const char *name, FILE *file, FILE *beside,
	struct fault *fault)
{
	bool ok = how->reach->write(f, how, name, file, beside, fault);
	for (int l = 0; ok && l < f->model->layers; l++)
		ok = runs_layer(f, how->reach, l, fault);
	return ok;
}

// ---- how it is opened ----

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void put_line(const char *line, const char *path, const char *beside, FILE *file)
{
	for (; *line; line++)
		if (*line == '@' || *line == '~')
			fputs(name_of(*line == '@' ? path : beside), file);
		else
			fputc(*line, file);
	fputc('\n', file);
}

// Of its form, this reader first.
static bool tells(const struct reach *row, const struct reach *first, int pass)
{
	return pass ? row != first && row->how[0] && strcmp(row->form, first->form) == 0 && row->clip == first->clip
		    : row == first;
}

bool reach_guide(const struct frozen *f, const struct outgoing *how, const char *path, const char *beside, FILE *file)
{
	const struct model *m = f->model;
	fprintf(file, "# %s\n\n", name_of(path));
	fprintf(file,
		"A network as bitscape quantized it, for %s%s. It takes `image`, 1x%dx%dx%d, the channels first, as the network was trained on, "
		"and gives `logits`.\n",
		how->reach->program, how->fold ? ", batch norms folded" : "", m->op[0].out.c, m->op[0].out.h, m->op[0].out.w);
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < REACHES; i++) {
			if (!tells(&table[i], how->reach, pass))
				continue;
			fprintf(file, "\n## In %s\n\n", table[i].program);
			for (int k = 0; k < 6 && table[i].how[k]; k++) {
				fputs("    ", file);
				put_line(table[i].how[k], path, beside, file);
			}
		}
	fprintf(file, "\n## Formats\n\n| layer | weights | inputs |\n|---|---|---|\n");
	for (int l = 0; l < m->layers; l++)
		fprintf(file, "| %s | %s | %s%s |\n", m->layer[l].name, format_table[f->layer[l].format.weight].name,
			f->layer[l].grid.kind == GRID_INTEGER && f->layer[l].grid.low >= 0 ? "unsigned " : "",
			format_table[f->layer[l].format.activation].name);
	return !ferror(file);
}
