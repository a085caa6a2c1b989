//! Scaling, the network, an ensemble's mean, and the targets' unit.

use surefoot::{Activation, Model, Parameters};

use super::literal::{double, doubles, list};
use crate::layers::networks;

/// Inner indices of a chain of multiply-adds; a product of more is a sum of chains.
const SEGMENT: usize = 256;

/// The weights, and `surefoot_predict`.
pub fn code(model: &Model) -> String {
    let layers = model.network.layers();
    let (inputs, outputs, last) = (model.network.inputs(), model.network.outputs(), layers.len() - 1);
    let mut code = String::new();
    for (k, network) in networks(model).into_iter().enumerate() {
        for (l, [weight, bias]) in network.into_iter().enumerate() {
            let mut table = |name: &str, numbers, count: usize| {
                code.push_str(&format!("\nstatic const real {name}_{k}_{l}[{count}] = {{\n{}}};\n", list(numbers)));
            };
            table("weight", weight.numbers, weight.shape.iter().product());
            table("bias", bias.numbers, bias.shape.iter().product());
        }
    }
    code.push_str(&sums());
    for activation in Activation::ALL {
        if layers.iter().any(|layer| layer.activation == activation) {
            code.push_str(&self::activation(activation, model));
        }
    }
    let single = matches!(model.parameters, Parameters::F32(_));
    let mut body = String::new();
    let input = match &model.input_scaling {
        Some(scaling) => {
            code.push_str(&table_of("input_centre", &scaling.centre));
            code.push_str(&table_of("input_scale", &scaling.scale));
            let scaled = "        double x = (encoded[i] - input_centre[i]) / input_scale[i];\n";
            match scaling.limit {
                Some(limit) => format!("{scaled}        x = x / hypotenuse_with_one(x / {});\n", double(limit)),
                None => scaled.into(),
            }
        }
        None => "        double x = encoded[i];\n".into(),
    };
    let largest = if single { "0x1.fffffep+127f" } else { "0x1.fffffffffffffp+1023" };
    body.push_str(&format!(
        "    double encoded[{inputs}];
    encode(numbers, texts, encoded);
    for (int i = 0; i < {inputs}; i++) {{
{input}        scaled[i] = (real)x;
        if (!(scaled[i] >= -{largest} && scaled[i] <= {largest})) return -1;
    }}
"
    ));
    let widest = layers.iter().map(|layer| layer.outputs).max().unwrap_or(1);
    for k in 0..model.members() {
        let mut from = "scaled".to_string();
        for (l, layer) in layers.iter().enumerate() {
            let to = if l == last { "z" } else { ["a", "b"][l % 2] };
            body.push_str(&format!(
                "    sums(weight_{k}_{l}, bias_{k}_{l}, {from}, {}, {}, {to});\n",
                layer.inputs, layer.outputs
            ));
            if l < last && layer.activation != Activation::Identity {
                body.push_str(&format!("    {}({to}, {});\n", function(layer.activation), layer.outputs));
            }
            from = to.into();
        }
        if model.members() > 1 {
            let set = if k == 0 { "=" } else { "+=" };
            body.push_str(&format!("    for (int i = 0; i < {outputs}; i++) mean[i] {set} z[i];\n"));
        }
    }
    if model.members() > 1 {
        let share = double(1.0 / model.members() as f64);
        body.push_str(&format!("    for (int i = 0; i < {outputs}; i++) z[i] = mean[i] * (real){share};\n"));
    }
    if model.network.output_activation() != Activation::Identity {
        body.push_str(&format!("    {}(z, {outputs});\n", function(model.network.output_activation())));
    }
    let reverted = match &model.target_scaling {
        Some(scaling) => {
            code.push_str(&table_of("target_centre", &scaling.centre));
            code.push_str(&table_of("target_scale", &scaling.scale));
            "(double)z[i] * target_scale[i] + target_centre[i]"
        }
        None => "z[i]",
    };
    let mut locals = format!("    real scaled[{inputs}], z[{outputs}]");
    for (hidden, name) in [(1, "a"), (2, "b")] {
        if layers.len() > hidden {
            locals.push_str(&format!(", {name}[{widest}]"));
        }
    }
    if model.members() > 1 {
        locals.push_str(&format!(", mean[{outputs}]"));
    }
    format!(
        "{code}
/* The outputs of a row, in the unit of the targets; not 0 where the row is refused. */
int surefoot_predict(const double numbers[], const char *const texts[], double outputs[]) {{
{locals};
{body}    for (int i = 0; i < {outputs}; i++) {{
        outputs[i] = {reverted};
        if (!(outputs[i] >= -0x1.fffffffffffffp+1023 && outputs[i] <= 0x1.fffffffffffffp+1023)) return -1;
    }}
    return 0;
}}
"
    )
}

fn table_of(name: &str, numbers: &[f64]) -> String {
    format!("\nstatic const double {name}[{}] = {{\n{}}};\n", numbers.len(), doubles(numbers))
}

/// z = W a + b, (6).
fn sums() -> String {
    format!(
        "
/* z = W a + b, in chains of {SEGMENT} */
static void sums(const real *weight, const real *bias, const real *a, int inputs, int units, real *z) {{
    for (int i = 0; i < units; i++, weight += inputs) {{
        real sum = bias[i];
        int k = 0;
        for (; k < inputs && k < {SEGMENT}; k++) sum = fused(a[k], weight[k], sum);
        while (k < inputs) {{
            real chain = 0;
            for (int end = k + {SEGMENT}; k < inputs && k < end; k++) chain = fused(a[k], weight[k], chain);
            sum = sum + chain;
        }}
        z[i] = sum;
    }}
}}
"
    )
}

fn function(activation: Activation) -> String {
    format!("apply_{}", activation.name().replace('-', "_"))
}

/// a = f(z) of a layer, in place, (7).
fn activation(activation: Activation, model: &Model) -> String {
    let real = |x: f64| match model.parameters {
        Parameters::F32(_) => super::literal::float(x as f32),
        Parameters::F64(_) => double(x),
    };
    let one = match activation {
        Activation::Identity => return String::new(),
        Activation::Softmax => return format!("\nstatic void apply_softmax(real *z, int units) {{\n{SOFTMAX}}}\n"),
        Activation::Sigmoid => {
            "        real e = exponential(z[i] < 0 ? z[i] : -z[i]);\n        z[i] = (z[i] < 0 ? e : 1) / (1 + e);\n"
                .into()
        }
        Activation::Tanh => "        z[i] = hyperbolic_tangent(z[i]);\n".into(),
        Activation::Relu => "        if (z[i] <= 0) z[i] = 0;\n".into(),
        Activation::LeakyRelu => format!("        if (z[i] <= 0) z[i] = {} * z[i];\n", real(Activation::LEAK)),
        Activation::Selu => format!(
            "        z[i] = z[i] >= 0 ? {} * z[i] : {} * exponential_less_one(z[i]);\n",
            real(Activation::SELU_SCALE),
            real(Activation::SELU_SCALE_ALPHA)
        ),
        _ => "        z[i] = exponential(z[i]);\n".into(),
    };
    format!(
        "\nstatic void {}(real *z, int units) {{\n    for (int i = 0; i < units; i++) {{\n{one}    }}\n}}\n",
        function(activation)
    )
}

/// Above 16 units in 16 lanes, which are joined in a binary tree.
const SOFTMAX: &str = "    real largest = z[0], lanes[16] = {0}, sum = 0;
    for (int i = 1; i < units; i++) if (z[i] > largest) largest = z[i];
    for (int i = 0; i < units; i++) z[i] = exponential(z[i] - largest);
    if (units > 16) {
        for (int i = 0; i < units; i++) lanes[i % 16] += z[i];
        for (int half = 8; half > 0; half /= 2) for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
        sum = lanes[0];
    } else {
        for (int i = 0; i < units; i++) sum += z[i];
    }
    for (int i = 0; i < units; i++) z[i] = z[i] / sum;
";
