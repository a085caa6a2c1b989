//! C99: one file with the weights, the encoding of a table's columns, and the functions that predict, without allocation.
//!
//! What is written is the arithmetic of the library, operation by operation: products in chains of fused multiply-adds, (6), and
//! exponentials as in `surefoot::numeric::elementwise`.

mod encoding;
mod literal;
mod network;

use surefoot::{Activation, Model, Parameters, Task};

use self::literal::{comment, text};
use crate::error::{Error, Result};

const FRAME: &str = include_str!("frame.c");
const SINGLE: &str = include_str!("single.c");
const DOUBLE: &str = include_str!("double.c");
const SCALING: &str = include_str!("scaling.c");
const WORDS: &str = include_str!("words.c");

/// # Errors
/// [`Error::Unfit`] for an activation that is not known here.
pub(crate) fn export(model: &Model) -> Result<Vec<u8>> {
    for layer in model.network.layers() {
        if !Activation::ALL.contains(&layer.activation) {
            let hint = "export it as npz or JSON";
            return Err(Error::unfit("an activation", "one that is written as C", layer.activation.name(), hint));
        }
    }
    let (real, functions) = match model.parameters {
        Parameters::F32(_) => ("float", SINGLE),
        Parameters::F64(_) => ("double", DOUBLE),
    };
    let encoding = encoding::Encoding::of(model)?;
    let mut c = FRAME
        .replace("@NETWORK@", &comment(&format!("{} for {}", model.network.widths(), model.task.name())))
        .replace("@NUMBERS@", &encoding.numbers.to_string())
        .replace("@TEXTS@", &encoding.texts.to_string())
        .replace("@OUTPUTS@", &model.network.outputs().to_string())
        .replace("@COLUMNS@", &encoding.comments)
        .replace("@REAL@", real);
    c.push_str(functions);
    if encoding.texts > 0 {
        c.push_str(WORDS);
    }
    if model.input_scaling.as_ref().is_some_and(|scaling| scaling.limit.is_some()) {
        c.push_str(SCALING);
    }
    c.push_str(&encoding.code);
    c.push_str(&network::code(model));
    if model.task == Task::Classification {
        c.push_str(&classes(model));
    }
    Ok(c.into_bytes())
}

/// The names of the classes, and what the outputs say of them.
fn classes(model: &Model) -> String {
    let (count, outputs) = (model.class_count(), model.network.outputs());
    let names: String = (0..count).map(|class| format!("    {},\n", text(&model.class_name(class)))).collect();
    let class = match outputs {
        1 => "    return outputs[0] >= 0.5;\n".into(),
        _ => format!(
            "    int best = 0;
    for (int k = 1; k < {outputs}; k++) if (outputs[k] > outputs[best]) best = k;
    return best;\n"
        ),
    };
    let mut code = format!(
        "
/* The names of the classes. */
#define SUREFOOT_CLASSES {count}
const char *const surefoot_classes[{count}] = {{
{names}}};

/* The class of these outputs, by its place among the names. */
int surefoot_class(const double outputs[]) {{
{class}}}
"
    );
    let probabilities = match (model.network.output_activation(), outputs) {
        (Activation::Softmax, _) => format!("    for (int k = 0; k < {outputs}; k++) probabilities[k] = outputs[k];\n"),
        (Activation::Sigmoid, 1) => {
            "    probabilities[0] = 1.0 - outputs[0];\n    probabilities[1] = outputs[0];\n".to_string()
        }
        (Activation::Sigmoid, _) => SHARES.replace("@OUTPUTS@", &outputs.to_string()),
        _ => return code,
    };
    code.push_str(&format!(
        "
/* The probability of each class, which sum to one. */
void surefoot_probabilities(const double outputs[], double probabilities[]) {{
{probabilities}}}
"
    ));
    code
}

/// Shares of the sum, which is taken in eight lanes.
const SHARES: &str = "    double lanes[8] = {0}, sum = 0;
    int k = 0;
    for (; k + 8 <= @OUTPUTS@; k += 8) for (int i = 0; i < 8; i++) lanes[i] += outputs[k + i];
    for (int i = 0; i < 4; i++) sum += lanes[i] + lanes[i + 4];
    for (; k < @OUTPUTS@; k++) sum += outputs[k];
    if (sum < 0x1p-1022) sum = 0x1p-1022;
    for (k = 0; k < @OUTPUTS@; k++) probabilities[k] = outputs[k] / sum;
";
