// Akima's interpolation (Akima 1970): piecewise cubics through all points whose slopes at a point
// follow from its four neighbouring segments, so that one noisy point bends little of the curve.
#pragma once

#include <span>
#include <vector>

namespace scalelaw {

class AkimaCurve {
 public:
  // x ascending without ties; three points at least, as many y.
  AkimaCurve(std::span<const double> x, std::span<const double> y);
  double at(double x) const;  // x between the first and the last
  struct Point {
    double x = 0, y = 0;
  };
  // Exactly, by the roots of each piece's derivative; an end where the curve is lowest there.
  Point minimum() const;

 private:
  struct Piece {  // y + b t + c t^2 + d t^3, t = x - its left end
    double y = 0, b = 0, c = 0, d = 0;
    double value(double t) const { return y + t * (b + t * (c + t * d)); }
  };
  std::vector<double> x_;
  std::vector<Piece> pieces_;
};

}  // namespace scalelaw
